/** One request from its arrival to its answer: route, caller, right, body, turn, work. In this order, so that who may not costs nothing. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail, followersOf, toRfoError } from '@rfo/foundation';
import { createLimit, readBody, within } from '@rfo/http';
import { discard } from '@rfo/proxy';
import { type Authenticator, nodeNameHeader } from './authenticate.ts';
import { type Bounds, defaultBounds, type SupervisorInputs } from './inputs.ts';
import { type Authenticated, describeCaller, type Joins } from './joins.ts';
import { methodNotAllowed, notFound, type Refusal, refusalOf } from './problem.ts';
import type { RequestCounter } from './request-counter.ts';
import type { Access, Answer, Route } from './route.ts';

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

/** Answers requests; never throws, every failure becomes an answer. */
export function createAnswerer(
  inputs: Pick<SupervisorInputs, 'life' | 'log' | 'bounds'>,
  parts: {
    readonly routes: readonly Route[];
    readonly authenticate: Authenticator;
    readonly joins: Joins;
    readonly counter: RequestCounter;
  },
): (exchange: Exchange) => Promise<void> {
  const { life, log } = inputs;
  const { routes, authenticate, joins, counter } = parts;
  const bounds: Bounds = { ...defaultBounds, ...inputs.bounds };
  const queue = { waiting: bounds.waiting, patience: bounds.waitingTime };
  const limits = {
    read: createLimit({ inFlight: bounds.readsInFlight, ...queue }),
    write: createLimit({ inFlight: bounds.writesInFlight, ...queue }),
    none: <T>(work: () => Promise<T>): Promise<T> => work(),
  };

  const work = async (route: Route, { request, query, signal }: { request: IncomingMessage; query: string; signal: AbortSignal }) => {
    const { headers, socket } = request;
    const address = socket.remoteAddress ?? 'gone';
    let who: Authenticated = { caller: { kind: 'anonymous' } };
    try {
      if (route.access !== 'anybody') who = await authenticate(request, { nodesMay: route.access === 'joiners', signal });
      authorise(route, who);
      const body = await readBody(request, { limit: route.body, within: bounds.bodyTime, signal });
      const call = { who, headers, query: new URLSearchParams(query), body, address };
      const handling = { what: `${route.method} ${route.path}`, milliseconds: bounds.handlingTime, signal };
      return await limits[route.limit](() => within(async (ending) => route.handle({ ...call, signal: ending }), handling), signal);
    } catch (error) {
      const { status, problem } = refusalOf(error);
      if (status === 401 || status === 403) {
        const refused = {
          who: describeCaller(who.caller),
          nodeName: nodeNameHeader(headers),
          address,
          path: route.path,
          code: problem.code,
        };
        joins.refused(refused);
      }
      throw error;
    }
  };

  /** What ends the server ends these; until then nothing of a request that was answered stays with the life. */
  const running = followersOf(life.signal);

  const follow = (response: ServerResponse): AbortController => {
    const request = running.add();
    response.once('close', () => {
      running.release(request);
      if (!response.writableFinished) request.abort(new Error('the caller went away'));
    });
    return request;
  };

  return async ({ request, response }) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const atPath = routes.filter((route) => route.path === path);
    const route = atPath.find(({ method }) => method === request.method);
    const send = (answer: Answer | Refusal): void => {
      const status = 'status' in answer ? answer.status : 200;
      counter.count({ route: atPath.length > 0 ? path : 'other', method: route?.method ?? 'other', code: status });
      sendAnswer({ request, response }, answer);
    };
    if (route === undefined) return send(atPath.length > 0 ? methodNotAllowed : notFound);

    const { signal } = follow(response);
    try {
      send(await work(route, { request, query, signal }));
    } catch (error) {
      if (signal.aborted || request.socket.destroyed) return;
      const refusal = refusalOf(error);
      if (refusal.unexpected) log.error('a request could not be answered', { method: route.method, path, error: toRfoError(error) });
      send(refusal);
    }
  };
}

/** Who may use which routes: each right includes those below it, but for the certificate of a node, which is no server's. */
function authorise({ access, method, path }: Route, { caller }: Authenticated): void {
  if (access === 'anybody' || caller.kind === 'administrator') return;
  if (caller.kind === 'anonymous') throw fail('join-no-credentials', {});
  if (access === 'joiners') return;
  if (access === 'servers' && caller.kind === 'token' && caller.role === 'server') return;
  throw fail('join-forbidden', { method, path, needed: neededFor[access] });
}

const neededFor = {
  servers: 'the token of a server',
  administrators: 'the certificate of an administrator',
} as const satisfies Partial<Record<Access, string>>;

function sendAnswer({ request, response }: Exchange, answer: Answer | Refusal): void {
  if (response.destroyed) return;
  const refused = 'problem' in answer;
  const body = refused ? JSON.stringify(answer.problem) : answer.body;
  response.writeHead(refused ? answer.status : 200, {
    'content-type': refused ? 'application/json' : answer.type,
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    ...(refused && answer.status === 401 && { 'www-authenticate': 'Basic realm="rfo", Bearer' }),
    ...(refused && answer.retryAfter !== undefined && { 'retry-after': String(answer.retryAfter) }),
  });
  response.end(body);
  if (!request.complete) discard(request);
}
