/**
 * `/sign-in`: signing in by a browser, for itself or for a program that waits on this computer. It leads to the manager's own pages, to the providers
 * that an administrator has set up and to a port of 127.0.0.1, and nowhere else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail, type Life, type Log, toRfoError } from '@rfo/foundation';
import { chooseLanguage, readBody } from '@rfo/http';
import * as z from 'zod/mini';
import type { Caller } from '../identity/caller.ts';
import type { Identity } from '../identity/create-identity.ts';
import { isOwnOrigin } from '../identity/csrf.ts';
import { localProvider } from '../identity/local-provider.ts';
import { type CliWish, cliWish } from '../identity/providers/cli-codes.ts';
import type { Objects } from '../objects/open-objects.ts';
import { type Problem, problemOf } from './problem.ts';
import { type Choice, cliQuery, type Page, renderPage } from './render-page.ts';
import { type Language, languages } from './texts.ts';

type Parts = {
  readonly identity: Pick<Identity, 'authenticate' | 'csrfToken' | 'signIn' | 'signOut' | 'browser' | 'cliCodes' | 'providers'>;
  readonly objects: Pick<Objects, 'settings'>;
  readonly life: Life;
  readonly log: Log;
};

type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string | readonly string[]>>; readonly body: string };
type Visit = {
  readonly request: IncomingMessage;
  /** Without its question mark. */
  readonly query: string;
  readonly address: string;
  readonly language: Language;
  readonly signal: AbortSignal;
};

/** Bytes of a form, and milliseconds until it is there. */
const form = { limit: 16 * 1024, within: 30_000 };
const text = z.string().check(z.minLength(1), z.maxLength(1024));
const passwordForm = z.object({
  username: text,
  password: text,
  newPassword: z.optional(text),
  newPasswordAgain: z.optional(text),
  provider: z.prefault(text, localProvider),
});

/** Answers requests for `/sign-in` and below; another path there is answered by false. */
export function createSignInPages(inputs: Parts): (request: IncomingMessage, response: ServerResponse) => boolean {
  const parts = { ...inputs, log: inputs.log.part('sign-in') };
  return (request, response) => {
    const { url = '', method } = request;
    const at = url.indexOf('?');
    const path = at < 0 ? url : url.slice(0, at);
    const act = actOf(parts, method === 'HEAD' ? 'GET' : (method ?? ''), path);
    if (act === undefined) return false;
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the browser went away')));
    const visit = {
      request,
      query: at < 0 ? '' : url.slice(at + 1),
      address: request.socket.remoteAddress ?? '',
      language: chooseLanguage(request.headers['accept-language'], languages),
      signal: AbortSignal.any([gone.signal, parts.life.signal]),
    };
    void act(visit)
      .catch((error: unknown) => {
        const problem = tellProblem(parts, error, visit);
        return page({ kind: 'problem', problem, cli: tryCli(visit.query) }, visit, problem);
      })
      .then((answer) => send(response, request, answer));
    return true;
  };
}

function actOf(parts: Parts, method: string, path: string): ((visit: Visit) => Promise<Answer>) | undefined {
  const [, direction, provider] = /^\/sign-in\/(to|back)\/([a-z0-9][a-z0-9.-]{0,62})$/.exec(path) ?? [];
  const acts: Readonly<Record<string, (visit: Visit) => Promise<Answer>>> = {
    'GET /sign-in': (visit) => showSignIn(parts, visit),
    'POST /sign-in': (visit) => signInByPassword(parts, visit),
    'GET /sign-in/cli': (visit) => askToGrant(parts, visit),
    'POST /sign-in/cli': (visit) => grant(parts, visit),
    'POST /sign-in/out': (visit) => signOut(parts, visit),
  };
  if (provider !== undefined && method === 'GET')
    return direction === 'to' ? (visit) => goOut(parts, visit, provider) : (visit) => comeBack(parts, visit, provider);
  return acts[`${method} ${path}`];
}

async function showSignIn(parts: Parts, visit: Visit): Promise<Answer> {
  const cli = cliIn(visit.query);
  const who = await signedInAs(parts, visit);
  if (who === undefined) return page({ kind: 'sign-in', choices: choicesOf(parts), cli }, visit);
  return cli === undefined ? page({ kind: 'signed-in', ...who }, visit) : seeOther(`/sign-in/cli${cliQuery(cli)}`);
}

async function signInByPassword(parts: Parts, visit: Visit): Promise<Answer> {
  const { identity } = parts;
  const { request, address } = visit;
  if (!isOwnOrigin(request.headers, serverUrlOf(parts))) throw fail('csrf-refused', {});
  const fields = await readForm(visit);
  const read = z.safeParse(passwordForm, Object.fromEntries(fields));
  if (!read.success) throw fail('sign-in-form', { problem: 'a user name and a password belong to it' });
  const { username, provider, newPassword, newPasswordAgain } = read.data;
  const cli = cliFrom(fields);
  try {
    // Nobody sees what he types there.
    if (newPassword !== newPasswordAgain) throw fail('password-repetition', {});
    const { cookie } = await identity.signIn({ username, password: read.data.password, newPassword, provider, address });
    return afterwards(cli, [cookie]);
  } catch (error) {
    const problem = tellProblem(parts, error, visit);
    const typed = { username, provider };
    if (problem.code === 'password-must-change' || newPassword !== undefined)
      return page({ kind: 'new-password', cli, problem, typed }, visit, problem);
    return page({ kind: 'sign-in', choices: choicesOf(parts), cli, problem, typed }, visit, problem);
  }
}

async function goOut({ identity, ...parts }: Parts, { request, query, signal }: Visit, provider: string): Promise<Answer> {
  const serverUrl = serverUrlOf(parts);
  // The cookie has to be of the address that the provider sends the browser back to.
  if (serverUrl !== undefined && request.headers.host !== new URL(serverUrl).host) {
    return seeOther(`${new URL(serverUrl).origin}/sign-in/to/${provider}${cliQuery(cliIn(query))}`);
  }
  const { location, cookie } = await identity.browser.begin({ provider, cli: cliIn(query), signal });
  return seeOther(location, [cookie]);
}

async function comeBack({ identity }: Parts, { request, query, address, signal }: Visit, provider: string): Promise<Answer> {
  const { cookie } = request.headers;
  const { cli, cookies } = await identity.browser.complete({ provider, query, cookies: cookie, address, signal });
  return afterwards(cli, cookies);
}

async function askToGrant(parts: Parts, visit: Visit): Promise<Answer> {
  const cli = demandCli(cliIn(visit.query));
  const who = await signedInAs(parts, visit);
  return who === undefined ? seeOther(`/sign-in${cliQuery(cli)}`) : page({ kind: 'grant', cli, ...who }, visit);
}

async function grant(parts: Parts, visit: Visit): Promise<Answer> {
  const fields = await readForm(visit);
  const caller = await callerOf(parts, visit, fields);
  return seeOther(await parts.identity.cliCodes.grant(caller, demandCli(cliFrom(fields))));
}

async function signOut(parts: Parts, visit: Visit): Promise<Answer> {
  const { identity } = parts;
  const caller = await callerOf(parts, visit, await readForm(visit));
  const cookie = await identity.signOut(caller);
  try {
    const there = await identity.browser.leave(caller.provider);
    return there === undefined ? seeOther('/sign-in', [cookie]) : goOn(there, cookie);
  } catch (error) {
    // Here he is out in any case, and has to know that he is not there.
    const problem = tellProblem(parts, error, visit);
    const told = page({ kind: 'problem', problem, cli: undefined }, visit, problem);
    return { ...told, headers: { ...told.headers, 'set-cookie': [cookie] } };
  }
}

/** Leads a browser away. Not by a redirect: browsers hold the answer to a form against form-action, by which ours lead nowhere else. */
function goOn(location: string, cookie: string): Answer {
  const headers = {
    'refresh': `0; url=${location}`,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'set-cookie': [cookie],
  };
  return { status: 200, headers, body: '' };
}

/** The cookie alone does not do it: the form has to be ours. */
function callerOf({ identity }: Parts, { request }: Visit, fields: URLSearchParams): Promise<Caller> {
  const headers = { ...request.headers, 'x-rfo-csrf': fields.get('csrf') ?? '' };
  return identity.authenticate(headers, { method: 'POST' });
}

async function signedInAs({ identity }: Parts, { request: { headers } }: Visit) {
  if (headers.cookie === undefined) return undefined;
  try {
    const { username } = await identity.authenticate({ cookie: headers.cookie, host: headers.host }, { method: 'GET' });
    return { username, csrf: identity.csrfToken(headers) ?? '' };
  } catch (error) {
    const { code } = toRfoError(error);
    if (code === 'not-signed-in' || code === 'credentials-refused' || code === 'session-ended') return undefined;
    throw error;
  }
}

async function readForm({ request, signal }: Visit): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? ''))
    throw fail('sign-in-form', { problem: 'it is no form' });
  const fields = new URLSearchParams((await readBody(request, { ...form, signal })).toString());
  // A field that is left empty is one that was not given.
  for (const [name, value] of [...fields]) if (value === '') fields.delete(name);
  return fields;
}

function cliIn(query: string): CliWish | undefined {
  return cliFrom(new URLSearchParams(query));
}

/** Undefined where none of it is there. @throws sign-in-form where it is not whole */
function cliFrom(fields: URLSearchParams): CliWish | undefined {
  const [port, challenge, state] = [fields.get('port'), fields.get('challenge'), fields.get('state')];
  if (port === null && challenge === null) return undefined;
  const read = z.safeParse(cliWish, { port: /^[1-9]\d{0,4}$/.test(port ?? '') ? Number(port) : undefined, challenge, state });
  if (!read.success) throw fail('sign-in-form', { problem: 'what rfo manager login adds to the address is not whole' });
  return read.data;
}

function demandCli(cli: CliWish | undefined): CliWish {
  if (cli === undefined) throw fail('sign-in-form', { problem: 'what rfo manager login adds to the address is missing' });
  return cli;
}

function choicesOf({ identity }: Pick<Parts, 'identity'>): readonly Choice[] {
  return identity.providers.list().map(({ name, spec, ask }) => ({
    name,
    displayName: spec.displayName,
    by: ask.redirecting === undefined ? 'password' : 'browser',
  }));
}

/** Who comes in an address may be nobody: then it is what stands there. */
function displayNameOf(parts: Pick<Parts, 'identity'>, provider: string): string {
  return choicesOf(parts).find(({ name }) => name === provider)?.displayName ?? provider;
}

function serverUrlOf({ objects }: Pick<Parts, 'objects'>): string | undefined {
  const value = objects.settings.get('server-url')?.spec.value;
  return value === '' ? undefined : value;
}

function tellProblem({ log, ...parts }: Parts, error: unknown, { signal }: Visit): Problem {
  const problem = problemOf(error, (name) => displayNameOf(parts, name));
  const { code, status } = problem;
  if (code === 'internal' && !signal.aborted) log.error('a page for signing in failed', { error });
  if (status === 502) log.warn('a provider could not be asked', { code, error });
  return problem;
}

function tryCli(query: string): CliWish | undefined {
  try {
    return cliIn(query);
  } catch {
    return undefined;
  }
}

/** @param problem by which the page answers with another status than 200 */
function page(shown: Page, { language }: Visit, problem?: Problem): Answer {
  const { headers, body } = renderPage(shown, language);
  const { status = 200, retryAfter } = problem ?? {};
  return { status, headers: { ...headers, ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) }, body };
}

/** Where somebody goes who has just signed in. */
function afterwards(cli: CliWish | undefined, cookies: readonly string[]): Answer {
  return seeOther(cli === undefined ? '/sign-in' : `/sign-in/cli${cliQuery(cli)}`, cookies);
}

function seeOther(location: string, cookies: readonly string[] = []): Answer {
  const headers = { location, 'content-type': 'text/plain; charset=utf-8', 'referrer-policy': 'same-origin' };
  return { status: 303, headers: { ...headers, ...(cookies.length > 0 && { 'set-cookie': cookies }) }, body: '' };
}

function send(response: ServerResponse, request: IncomingMessage, { status, headers, body }: Answer): void {
  if (response.destroyed) return;
  request.resume();
  response.writeHead(status, {
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  } as Record<string, string | string[]>);
  response.end(request.method === 'HEAD' ? undefined : body);
}
