// The REST interface `/api/v1`: Fastify routes, reads bodies and sends answers; what there is and who may stands in the table of routes.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { fail, type Life, type Log } from '@rfo/foundation';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import * as z from 'zod/mini';
import type { Caller } from '../identity/caller.ts';
import { authorise, identify } from './admit.ts';
import { parseInput } from './parse-input.ts';
import type { ApiParts } from './parts.ts';
import { recordRequest } from './record.ts';
import { refusalOf } from './refusal.ts';
import { type Call, type CallOf, type Change, changes, type Route } from './route.ts';
import { createRoutes } from './routes.ts';

/** Answers the requests below `/api/`. */
export type Api = (request: IncomingMessage, response: ServerResponse) => void;

const prefix = '/api/v1';
const json = 'application/json; charset=utf-8';
/** Most bytes of a request's body. */
const bodyLimit = 1024 * 1024;

type Inputs = ApiParts & { readonly life: Life };

/** Makes the interface; it ends with the life. Answers are `application/json`, errors `{code, message, cure}` of the table of errors. */
export async function createApi(parts: Inputs): Promise<Api> {
  const { life } = parts;
  const log = parts.log.part('api');
  const states = new WeakMap<FastifyRequest, State>();
  const app = fastify({
    logger: false,
    bodyLimit,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 253 },
    // What the router cannot understand gets the same form of answer as everything else.
    frameworkErrors: (error, request, reply) => {
      refuse(error, { request: request as FastifyRequest, reply: reply as FastifyReply, log });
    },
  });
  acceptJsonAlone(app);
  app.setErrorHandler((error, request, reply) => {
    const state = states.get(request);
    if (state !== undefined) state.code = refusalOf(error, { bodyLimit }).problem.code;
    return refuse(error, { request, reply, log });
  });
  app.setNotFoundHandler((request, reply) => {
    const error = fail('api-not-found', { method: request.method, path: pathOf(request).slice(0, 200) });
    return refuse(error, { request, reply, log });
  });
  app.addHook('onSend', async (_, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  for (const route of createRoutes(parts)) addRoute(app, route, { parts: { ...parts, log }, states });
  await app.ready();
  life.defer(() => app.close());
  return (request, response) => app.routing(request, response);
}

/** A body of another type is refused: a page of another site can send those without being asked first. */
function acceptJsonAlone(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
}

/** What is known of a request beside what Fastify knows. */
type State = { readonly route: Route; readonly gone: AbortController; caller?: Caller; name?: string; change?: Change; code?: string };

function addRoute(
  app: FastifyInstance,
  route: Route,
  { parts, states }: { readonly parts: Inputs; readonly states: WeakMap<FastifyRequest, State> },
): void {
  const { life, audit, identity, rights, objects, log } = parts;
  const ownerOf = async (token: string): Promise<string | undefined> => (await objects.tokens.find(token))?.spec.user;

  app.route({
    method: route.method,
    url: `${prefix}${route.path}`,
    // Before the body is read: who may not costs nothing.
    onRequest: async (request, reply) => {
      const state: State = { route, gone: new AbortController() };
      states.set(request, state);
      reply.raw.once('close', () => state.gone.abort(new Error('the caller went away')));
      const caller = await identify(route, request.headers, identity);
      if (caller === undefined) return;
      state.caller = caller;
      const name = nameIn(paramsOf(route, request));
      if (name !== undefined) state.name = name;
      await authorise(route, { caller, name }, { rights, ownerOf });
      // Nothing is done that could not be told of afterwards.
      if (changes(route) && !audit.hasRoom())
        throw fail('audit-behind', { problem: audit.state().problem ?? 'too much waits to be written' });
    },
    handler: async (request, reply) => {
      const state = stateOf(states, request);
      const { query, body, answer } = route;
      const call: Call = {
        params: paramsOf(route, request),
        query: query === undefined ? undefined : parseInput(query, request.query, 'the query'),
        body: body === undefined ? undefined : parseInput(body, request.body, 'the body'),
        address: request.ip,
        headers: request.headers,
        signal: AbortSignal.any([life.signal, state.gone.signal]),
        changed: (change) => {
          state.change = change;
        },
        header: (name, value) => void reply.header(name, value),
      };
      const outcome = await route.handle({ ...call, caller: state.caller } as CallOf);
      reply.status(route.status);
      if (answer === undefined) return reply.send();
      if (!route.lines) return reply.type(json).send(JSON.stringify(z.parse(answer, outcome)));
      return reply.type('application/jsonl').send(streamLines(outcome as AsyncIterable<unknown>, { answer, state, parts }));
    },
    onSend: async (request, reply) => {
      const { caller, name, change, code } = stateOf(states, request);
      const { ip: address, headers } = request;
      try {
        recordRequest(audit, { route, status: reply.statusCode, code, caller, name, change, address, headers });
      } catch (error) {
        log.error('a request was not recorded', { method: route.method, path: route.path, error });
      }
    },
  });
}

/** The answer line by line. It ends when its caller has gone, and within a moment when he may no longer hear it. */
function streamLines(
  items: AsyncIterable<unknown>,
  { answer, state, parts }: { readonly answer: z.ZodMiniType; readonly state: State; readonly parts: Inputs },
): Readable {
  const { identity, rights, life } = parts;
  const { caller, route, gone } = state;
  const withdrawn = (): boolean => {
    if (caller === undefined) return true;
    const { access } = route;
    return identity.isRevoked(caller) || (access.kind === 'right' && !rights.may(caller, { verb: access.verb, kind: access.of }));
  };
  const look = (): void => {
    if (withdrawn()) gone.abort(fail('access-withdrawn', {}));
  };
  const undo = [
    identity.onRevoked((isRevoked) => caller !== undefined && isRevoked(caller) && gone.abort(fail('access-withdrawn', {}))),
    rights.onChange(look),
  ];
  const lines = Readable.from(render(items, answer));
  const signal = AbortSignal.any([life.signal, gone.signal]);
  // Cut off, not ended: what is missing must not look like the end.
  const end = (): void => void lines.destroy(signal.reason instanceof Error ? signal.reason : new Error('ended'));
  signal.addEventListener('abort', end, { once: true });
  lines.once('close', () => {
    for (const each of undo) each();
    gone.abort(new Error('the answer ended'));
  });
  look();
  return lines;
}

async function* render(items: AsyncIterable<unknown>, answer: z.ZodMiniType): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(z.parse(answer, item))}\n`;
}

function stateOf(states: WeakMap<FastifyRequest, State>, request: FastifyRequest): State {
  const state = states.get(request);
  if (state === undefined) throw fail('internal', { what: 'a request came past its admission' });
  return state;
}

function paramsOf({ params }: Route, request: FastifyRequest): unknown {
  return params === undefined ? undefined : parseInput(params, request.params, 'the path');
}

function nameIn(params: unknown): string | undefined {
  const name = typeof params === 'object' && params !== null && 'name' in params ? params.name : undefined;
  return typeof name === 'string' ? name : undefined;
}

function refuse(
  error: unknown,
  { request, reply, log }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly log: Log },
) {
  const { status, problem, retryAfter, unexpected } = refusalOf(error, { bodyLimit });
  if (unexpected) log.error('a request could not be answered', { method: request.method, path: pathOf(request), error });
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="rfo"');
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  return reply.status(status).type(json).send(JSON.stringify(problem));
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}
