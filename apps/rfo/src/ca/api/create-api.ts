/** One request of the CFSSL API from its arrival to its answer: path, who, verb, turn, body, work. */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type Log, toRfoError } from '@rfo/foundation';
import { createLimit, readBody } from '@rfo/http';
import { discard } from '@rfo/proxy';
import type { NamePattern } from '../config/types.ts';
import { type Client, clientOf } from './client.ts';
import { methodNotAllowed, notFound, plainText, type Rendered, renderError, renderResult } from './envelope.ts';
import { frontPage } from './front-page.ts';
import type { ApiRequest, Endpoint } from './types.ts';

/** What node:http calls for each request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export type ApiOptions = {
  readonly endpoints: readonly Endpoint[];
  /** What is served beside this API and answers by itself: `/crl` and all below it. */
  readonly beside?: readonly { readonly path: RegExp; readonly handler: Handler }[];
  /** Only operators may use the API (`-mutual-tls-ca`), and of these only such as have a name that is found (`-mutual-tls-cn`). */
  readonly operatorsOnly?: { readonly names?: NamePattern };
  readonly log: Log;
  readonly bounds?: Partial<ApiBounds>;
};

/** Bytes, counts and milliseconds. */
export type ApiBounds = {
  readonly body: number;
  readonly bodyTime: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly waitingTime: number;
};

const defaultApiBounds: ApiBounds = {
  body: 1024 * 1024,
  bodyTime: 30_000,
  inFlight: 256,
  waiting: 2048,
  waitingTime: 10_000,
};

/** Every endpoint of cfssl stands below it. */
const apiPrefix = '/api/v1/cfssl/';

/** What stands beside the API for anybody: lists of revoked certificates, which a certificate names. */
export const crlPaths = /^\/crl(\/[0-9a-f]+)?(\.pem)?$/;

/** Answers requests; never throws, every failure becomes an answer. */
export function createApi(options: ApiOptions): Handler {
  const { log, operatorsOnly, beside = [] } = options;
  const bounds = { ...defaultApiBounds, ...options.bounds };
  const endpoints = new Map(options.endpoints.map((endpoint) => [pathOf(endpoint), endpoint]));
  const limit = createLimit({ inFlight: bounds.inFlight, waiting: bounds.waiting, patience: bounds.waitingTime });

  const answer = async (call: Call, endpoint: Endpoint): Promise<Rendered> => {
    if (call.method !== endpoint.method) throw methodNotAllowed(call.method);
    const read = { limit: bounds.body, within: bounds.bodyTime, signal: call.signal };
    call.body = await readBody(call.message, read);
    return renderResult(await limit(() => endpoint.handle(call), call.signal));
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = new Call(request, response);
    const endpoint = endpoints.get(call.path);
    try {
      if (!mayEnter(call, operatorsOnly)) send(call, plainText(403, 'Invalid CN'));
      else if (endpoint !== undefined) send(call, await answer(call, endpoint));
      else send(call, frontPage(call) ?? notFound);
    } catch (error) {
      // Who went away is not told anything, and nothing has failed.
      if (response.destroyed || request.socket.destroyed) return;
      const rendered = renderError(error);
      if (rendered.unexpected) log.error('a request could not be answered', { path: call.path, error: toRfoError(error) });
      send(call, rendered);
    }
  };

  return (request, response) => {
    const path = pathIn(request.url);
    const own = endpoints.has(path) ? undefined : beside.find((each) => each.path.test(path));
    if (own === undefined) void serve(request, response);
    else own.handler(request, response);
  };
}

/** A name that begins with a slash is a path of its own. */
function pathOf({ name }: Endpoint): string {
  return name.startsWith('/') ? name : apiPrefix + name;
}

/** What stands outside of cfssl's own paths has rules of its own. */
function mayEnter({ path, client }: Call, operatorsOnly: ApiOptions['operatorsOnly']): boolean {
  if (operatorsOnly === undefined || path.startsWith('/api/v1/rfo/')) return true;
  return client?.operator === true && (operatorsOnly.names?.test(client.commonName) ?? true);
}

function pathIn(url = ''): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

const wentAway = new Error('the caller went away');

/** One request; what few endpoints look at is made when it is looked at. */
class Call implements ApiRequest {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  body: Buffer = Buffer.alloc(0);
  #gone: AbortController | undefined;

  constructor(message: IncomingMessage, response: ServerResponse) {
    this.message = message;
    this.response = response;
    this.path = pathIn(message.url);
  }

  get method(): string {
    return this.message.method ?? '';
  }
  get query(): URLSearchParams {
    return new URLSearchParams((this.message.url ?? '').slice(this.path.length));
  }
  get headers(): IncomingHttpHeaders {
    return this.message.headers;
  }
  get remote(): string {
    return this.message.socket.remoteAddress ?? 'gone';
  }
  get client(): Client | undefined {
    return clientOf(this.message.socket);
  }
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      this.#gone = gone;
      // Nearly always it closes because it was answered: nobody has to hear of that.
      const onClose = (): void => {
        if (!this.response.writableFinished) gone.abort(wentAway);
      };
      if (this.response.destroyed) onClose();
      else this.response.once('close', onClose);
    }
    return this.#gone.signal;
  }
}

function send({ message, response }: Call, { status, type, body }: Rendered): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...(status !== 200 && { 'x-content-type-options': 'nosniff' }),
    ...(status === 503 && { 'retry-after': '2' }),
  });
  response.end(body);
  if (!message.complete) discard(message);
}
