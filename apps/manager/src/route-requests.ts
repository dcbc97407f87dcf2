// Which part of the manager answers a request. What does not stand here does not exist.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { fail, type Log, RfoError } from '@rfo/foundation';
import type { Entrances } from './listen.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
/** What a page of the manager itself says: a text with its type. */
export type Page = {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
};

export type Parts = {
  /** `/k8s/` */
  readonly frontDoor: { readonly handle: Handler; readonly upgrade: UpgradeHandler };
  /** `/api/` */
  readonly api: Handler;
  /** `/sign-in` and below; false for a path that is none of its own. */
  readonly signIn: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** `/ws` */
  readonly watches: { readonly upgrade: UpgradeHandler };
  readonly connections: {
    readonly handleUpgrade: UpgradeHandler;
    readonly handleTunnel: Entrances['tunnel'];
    /** Throws registration-unknown, registration-expired, too-many-attempts. */
    readonly importManifest: (token: string, from: { readonly address?: string | undefined }) => Promise<string>;
  };
  /** Pages by their path. Errors are answered by their status. */
  readonly pages: Readonly<Record<string, (request: IncomingMessage) => Page | Promise<Page>>>;
};

/** Milliseconds within which a body has to be there, of requests that are not for a cluster. */
const bodyWithin = 30_000;

/**
 * Sends each request to its part by the beginning of its path as it came: nobody may come by `..` or `%2e` where he could not come straight, so
 * nothing is resolved here, and each part is as strict about what follows.
 */
export function routeRequests({ frontDoor, api, watches, signIn, connections, pages }: Parts, log: Log): Entrances {
  const answerPage = (request: IncomingMessage, response: ServerResponse, make: () => Page | Promise<Page>): void => {
    void Promise.resolve()
      .then(make)
      .then(
        (page) => send(response, request, page),
        (error: unknown) => send(response, request, refusal(error, log)),
      );
  };
  return {
    request: (request, response) => {
      const path = pathOf(request.url ?? '');
      if (isAmbiguous(request)) {
        response.setHeader('connection', 'close');
        answerPage(request, response, () => {
          throw fail('request-invalid', { problem: 'it has more than one Authorization' });
        });
        return;
      }
      if (path.startsWith('/k8s/')) {
        frontDoor.handle(request, response);
        return;
      }
      if (request.headers.expect !== undefined) response.writeContinue();
      boundBody(request);
      if (path.startsWith('/api/')) {
        api(request, response);
        return;
      }
      if ((path === '/sign-in' || path.startsWith('/sign-in/')) && signIn(request, response)) return;
      answerPage(request, response, () => {
        const page = pages[path];
        const token = /^\/import\/([A-Za-z0-9_.-]{1,512})\.yaml$/.exec(path)?.[1];
        if (page === undefined && token === undefined) {
          if (path === '/connect' || path === '/ws') throw fail('manager-upgrade-needed', { path });
          throw fail('manager-path-unknown', { path: path.slice(0, 200) });
        }
        if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, body: 'only GET is served here\n' };
        if (page !== undefined) return page(request);
        return connections
          .importManifest(token ?? '', { address: request.socket.remoteAddress })
          .then((body) => ({ type: 'application/yaml', body }));
      });
    },
    upgrade: (request, socket, head) => {
      const path = pathOf(request.url ?? '');
      if (isAmbiguous(request)) refuseUpgrade(socket, '400 Bad Request');
      else if (path === '/connect') connections.handleUpgrade(request, socket, head);
      else if (path.startsWith('/k8s/')) frontDoor.upgrade(request, socket, head);
      else if (path === '/ws') watches.upgrade(request, socket, head);
      else refuseUpgrade(socket, '404 Not Found');
    },
    tunnel: connections.handleTunnel,
  };
}

/** Of two credentials Node takes the first, and a proxy between may have looked at the second. */
function isAmbiguous({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'authorization').length > 1;
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => undefined);
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`, () => socket.destroy());
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

function boundBody(request: IncomingMessage): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.complete || request.destroy(), bodyWithin).unref();
  const done = (): void => clearTimeout(timer);
  request.once('end', done).once('close', done);
}

const statuses: Readonly<Record<string, number>> = {
  'request-invalid': 400,
  'not-signed-in': 401,
  'credentials-refused': 401,
  'session-ended': 401,
  'csrf-refused': 403,
  'api-forbidden': 403,
  'sign-in-limited': 429,
  'too-many-attempts': 429,
  'server-overloaded': 503,
  'manager-path-unknown': 404,
  'manager-upgrade-needed': 426,
  'manager-not-ready': 503,
  'registration-unknown': 404,
  'registration-expired': 410,
  'server-url-unknown': 409,
  'kube-busy': 503,
  'kube-unreachable': 503,
};

/** The same form as the REST interface gives its errors. One that callers are not meant to meet is told to the log alone. */
function refusal(error: unknown, log: Log): Page {
  const known = error instanceof RfoError ? statuses[error.code] : undefined;
  if (!(error instanceof RfoError) || known === undefined) {
    log.error('a request failed', { error });
    return {
      status: 500,
      type: 'application/json',
      body: JSON.stringify({ code: 'internal', message: 'the manager failed to answer', cure: 'Its log says more' }),
    };
  }
  const { code, message, cure, retryAfter } = error;
  const body = JSON.stringify({ code, message: message.slice(0, -`. ${cure}.`.length), cure });
  return { status: known, type: 'application/json', body, retryAfter };
}

function send(
  response: ServerResponse,
  request: IncomingMessage,
  { status = 200, type = 'text/plain; charset=utf-8', body, retryAfter }: Page,
): void {
  if (response.destroyed) return;
  // A body that nobody reads would keep the connection.
  request.resume();
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
