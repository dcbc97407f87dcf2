/**
 * GitHub and GitHub Enterprise Server: OAuth with PKCE, and the REST API for who somebody is and where he belongs. Groups are `organisation` and
 * `organisation/team`. https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps, https://docs.github.com/rest
 */
import { hash } from 'node:crypto';
import { fail, type Life, RfoError } from '@rfo/foundation';
import type { AuthProvider } from '@rfo/schema';
import * as z from 'zod/mini';
import { checkCertificates } from './check-certificates.ts';
import type { OutsideGroup } from './outside.ts';
import { createOutsideFetch, type OutsideFetch } from './outside-fetch.ts';
import type { OutsideProvider, Proven } from './provider-types.ts';

export type GithubSettings = NonNullable<AuthProvider['spec']['github']>;

/** Teams and organisations that are not public are told with this alone. */
const scopes = ['read:user', 'user:email', 'read:org'];
const pageSize = 100;
/** Pages of a list: nobody is in more than 2000 teams. */
const mostPages = 20;

const granted = z.object({ access_token: z.string().check(z.minLength(1)), scope: z.optional(z.string()) });
const refusal = z.object({ error: z.string(), error_description: z.optional(z.string()) });
const account = z.object({
  id: z.int(),
  login: z.string().check(z.minLength(1)),
  name: z.nullish(z.string()),
  email: z.nullish(z.string()),
});
const organisations = z.array(z.object({ id: z.int(), login: z.string() }));
const teams = z.array(z.object({ id: z.int(), slug: z.string(), organization: z.object({ login: z.string() }) }));

export function createGithubProvider(parts: {
  readonly name: string;
  readonly settings: GithubSettings;
  readonly secret: () => Promise<string | undefined>;
  readonly life: Life;
}): OutsideProvider {
  const { name, settings, life } = parts;
  const { web, api } = addressesOf(settings);
  const fetchOutside = createOutsideFetch(settings, life);
  const secretOf = async (): Promise<string> => {
    const secret = await parts.secret();
    if (secret !== undefined) return secret;
    throw fail('provider-settings', { provider: name, problem: 'it has no client secret', cure: 'Give the one of the OAuth app' });
  };
  const reader = { name, api, fetchOutside };

  /** Undefined when GitHub does not take the token any more. */
  const prove = async (token: string, signal: AbortSignal): Promise<Proven | undefined> => {
    const [who] = (await readList({ ...reader, token, signal }, '/user', account)) ?? [];
    if (who === undefined) return undefined;
    const [orgs, own] = await Promise.all([
      readList({ ...reader, token, signal }, '/user/orgs', organisations),
      readList({ ...reader, token, signal }, '/user/teams', teams),
    ]);
    if (orgs === undefined || own === undefined) return undefined;
    const groups: OutsideGroup[] = [
      ...orgs.flat().map(({ id, login }) => ({ id: `org/${id}`, name: login })),
      ...own.flat().map(({ id, slug, organization }) => ({ id: `team/${id}`, name: `${organization.login}/${slug}` })),
    ];
    const outside = {
      id: String(who.id),
      username: who.login,
      ...(who.name && { displayName: who.name }),
      ...(who.email && { email: who.email }),
      groups,
    };
    return { outside, kept: token };
  };

  return {
    redirecting: {
      begin: async ({ redirectUri, state, verifier }) => {
        await secretOf();
        const url = new URL(`${web}/login/oauth/authorize`);
        const challenge = hash('sha256', verifier, 'base64url');
        for (const [key, value] of Object.entries({
          client_id: settings.clientId,
          redirect_uri: redirectUri,
          scope: scopes.join(' '),
          state,
          code_challenge: challenge,
          code_challenge_method: 'S256',
        }))
          url.searchParams.set(key, value);
        return url;
      },
      complete: async ({ searchParams }, { redirectUri, state, verifier }, signal) => {
        const [said, why] = [searchParams.get('error'), searchParams.get('error_description')];
        if (said !== null) throw refused(name, `${said}${why === null ? '' : ` (${why.slice(0, 200)})`}`);
        const code = searchParams.get('code');
        if (code === null || searchParams.get('state') !== state) throw refused(name, 'what came back is not of this sign-in');
        const form = {
          client_id: settings.clientId,
          client_secret: await secretOf(),
          code,
          redirect_uri: redirectUri,
          code_verifier: verifier,
        };
        const token = await exchange(reader, `${web}/login/oauth/access_token`, { form, signal });
        const proven = await prove(token, signal);
        if (proven === undefined) throw refused(name, 'it does not accept the token that it has just given');
        return proven;
      },
    },
    check: async (signal) => {
      checkCertificates(name, settings);
      // https://docs.github.com/rest/apps/oauth-applications#check-a-token: 404 for an unknown token, 401 for a wrong client.
      const basic = Buffer.from(`${settings.clientId}:${await secretOf()}`).toString('base64');
      const url = `${api}/applications/${encodeURIComponent(settings.clientId)}/token`;
      const body = JSON.stringify({ access_token: 'rfo-checks-the-client' });
      const headers = { ...apiHeaders, 'authorization': `Basic ${basic}`, 'content-type': 'application/json' };
      const { status } = await reach(name, () => fetchOutside(url, { method: 'POST', headers, body, signal }));
      if (status === 404 || status === 422) return;
      if (status >= 500) throw fail('provider-unreachable', { provider: name, problem: `${api} answers with status ${status}` });
      const [problem, cure] =
        status === 401 || status === 403
          ? ['it does not accept the client ID with this secret', 'Give those of the OAuth app']
          : [`${api} answers with status ${status}`, 'Give the address of GitHub, and github.apiUrl if its API stands elsewhere'];
      throw fail('provider-settings', { provider: name, problem, cure });
    },
    refresh: async (id, kept, signal) => {
      if (kept === undefined) return 'unknown';
      const proven = await prove(kept, signal);
      return proven?.outside.id === id ? proven : undefined;
    },
  };
}

/** https://docs.github.com/enterprise-server/rest/quickstart: an own GitHub has its API below its address. */
export function addressesOf({ url, apiUrl }: Pick<GithubSettings, 'url' | 'apiUrl'>): { readonly web: string; readonly api: string } {
  const web = url.replace(/\/+$/, '');
  const api = apiUrl?.replace(/\/+$/, '') ?? (web === 'https://github.com' ? 'https://api.github.com' : `${web}/api/v3`);
  return { web, api };
}

const apiHeaders = { 'accept': 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', 'user-agent': 'rfo-manager' };

type Reader = { readonly name: string; readonly api: string; readonly fetchOutside: OutsideFetch };

async function exchange(
  { name, fetchOutside }: Reader,
  url: string,
  { form, signal }: { readonly form: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<string> {
  const headers = { 'accept': 'application/json', 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'rfo-manager' };
  const body = new URLSearchParams(form);
  const answer: unknown = await reach(name, async () => (await fetchOutside(url, { method: 'POST', headers, body, signal })).json());
  // Errors come with the status 200.
  const wrong = z.safeParse(refusal, answer);
  if (wrong.success) throw refused(name, `${wrong.data.error} (${(wrong.data.error_description ?? '').slice(0, 200)})`);
  const right = z.safeParse(granted, answer);
  if (!right.success) throw fail('provider-unreachable', { provider: name, problem: `${url} answers without a token` });
  // The user, or an administrator of the organisation, may have given less.
  if (!(right.data.scope ?? '').split(/[ ,]+/).some((scope) => ['read:org', 'write:org', 'admin:org'].includes(scope)))
    throw refused(name, 'it did not grant the scope read:org, without which nobody knows your groups');
  return right.data.access_token;
}

/** All pages (RFC 8288); one page for what is no list. Undefined for a token that is not accepted. */
async function readList<T>(
  { name, api, fetchOutside, token, signal }: Reader & { readonly token: string; readonly signal: AbortSignal },
  path: string,
  schema: z.ZodMiniType<T>,
): Promise<readonly T[] | undefined> {
  const pages: T[] = [];
  for (let page = 1; page <= mostPages; page++) {
    const url = `${api}${path}?per_page=${pageSize}&page=${page}`;
    const headers = { ...apiHeaders, authorization: `Bearer ${token}` };
    const answer = await reach(name, () => fetchOutside(url, { method: 'GET', headers, signal }));
    if (answer.status === 401) return undefined;
    const read = z.safeParse(schema, answer.status === 200 ? await reach(name, () => answer.json()) : undefined);
    if (!read.success) {
      const problem =
        answer.status === 200 ? `${url} answers in a form that is not GitHub's` : `${url} answers with status ${answer.status}`;
      throw fail('provider-unreachable', { provider: name, problem });
    }
    pages.push(read.data);
    if (!/;\s*rel="next"/.test(answer.headers.get('link') ?? '')) break;
  }
  return pages;
}

async function reach<T>(provider: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RfoError) throw error;
    throw fail('provider-unreachable', { provider, problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

function refused(provider: string, problem: string): RfoError {
  return fail('provider-refused', { provider, problem });
}
