/**
 * Serves certificate status over plain HTTP, as what tells of revocation must be fetched without TLS (RFC 5280 §4.2.1.13). OCSP clients send ever the
 * same few bytes: those are read by a reader of our own, and everything else by `node:http` on the same connection
 * (docs/decisions/0011-ocsp-fast-path.md).
 */

import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import type { Life } from '@rfo/foundation';
import { brokenAnswerer, listen } from '@rfo/http';
import { plainText } from '../api/envelope.ts';
import { answerOcsp, type OcspSource, type StatusAnswer } from './answer-http.ts';
import { type Connection, serveConnection } from './connection.ts';
import type { StatusHandler } from './handler.ts';
import type { SimpleRequest } from './simple-request.ts';
import { createWire } from './wire.ts';

export type StatusServerInputs = {
  /** Who answers OCSP now: asked at each request, for another may take its place. */
  readonly ocsp: () => OcspSource;
  /** Answers all that is no simple OCSP request. */
  readonly handler: StatusHandler;
  readonly host: string;
  readonly port: number;
  readonly life: Life;
  readonly bounds?: Partial<StatusBounds>;
};

/** Milliseconds, bytes and counts that keep strangers from holding on to the server. */
export type StatusBounds = {
  readonly connections: number;
  readonly headersTime: number;
  readonly requestTime: number;
  readonly idleTime: number;
  /** How long requests that were under way when the life ended may take to be answered. */
  readonly grace: number;
};
const defaultBounds: StatusBounds = { connections: 10_000, headersTime: 10_000, requestTime: 30_000, idleTime: 30_000, grace: 5_000 };

/**
 * Listens until the life ends: then nobody new is let in, and what is under way is answered. Port 0 takes any free one.
 * @throws port-taken
 */
export async function serveStatus({ ocsp, handler, host, port, life, ...more }: StatusServerInputs): Promise<{ readonly port: number }> {
  const bounds = { ...defaultBounds, ...more.bounds };
  const complete = completeServer(bounds);
  const busy = countBusy(complete, handler);
  const wire = createWire(Date.now);
  const answer = (request: SimpleRequest): StatusAnswer | Promise<StatusAnswer> | undefined =>
    isOcsp(request) ? answerOcsp(request, ocsp()) : undefined;

  /** Undefined: the complete server has it. */
  const open = new Map<Socket, Connection | undefined>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const handOver = (): void => {
      open.set(socket, undefined);
      complete.emit('connection', socket);
      socket.resume();
    };
    open.set(socket, serveConnection({ socket, answer, wire, handOver }));
    socket.once('close', () => open.delete(socket));
  });
  server.maxConnections = bounds.connections;
  const taken = await listen(server, { host, port });
  const sweep = setInterval(() => closeIdle(open, bounds.idleTime), Math.min(5_000, bounds.idleTime / 2));
  sweep.unref();

  life.defer(async () => {
    clearInterval(sweep);
    const closed = new Promise((resolve) => server.close(resolve));
    const late = setTimeout(() => destroyAll(open), bounds.grace);
    for (const connection of open.values()) connection?.finish();
    await busy.none();
    for (const [socket, connection] of open) if (connection === undefined) socket.destroySoon();
    await closed;
    clearTimeout(late);
    // Its checks of timeouts end with it.
    complete.close();
  });
  return { port: taken };
}

/** To the root, where responders are found; DER of a sequence is an M in base64. What else there is to get here, a list or a certificate, is larger. */
function isOcsp({ method, url }: SimpleRequest): boolean {
  return method === 'POST' ? url === '/' : /^\/\/?M/.test(url);
}

/** Has no port of its own: it is given connections. */
function completeServer(bounds: StatusBounds): HttpServer {
  const server = createHttpServer({
    headersTimeout: bounds.headersTime,
    requestTimeout: bounds.requestTime,
    keepAliveTimeout: bounds.idleTime,
    connectionsCheckingInterval: Math.min(5_000, bounds.headersTime),
    maxHeaderSize: 8 * 1024,
    noDelay: true,
  });
  server.on('clientError', brokenAnswerer(plainText));
  return server;
}

/** Knows when nothing is under way in a server. */
function countBusy(server: HttpServer, handler: StatusHandler): { readonly none: () => Promise<void> } {
  let busy = 0;
  let tell = (): void => undefined;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    busy++;
    response.once('close', () => {
      busy--;
      if (busy === 0) tell();
    });
    handler(request, response);
  });
  return {
    none: () =>
      new Promise((resolve) => {
        tell = resolve;
        if (busy === 0) resolve();
      }),
  };
}

function closeIdle(open: ReadonlyMap<Socket, Connection | undefined>, idle: number): void {
  const limit = performance.now() - idle;
  for (const [socket, connection] of open) if (connection !== undefined && connection.since() < limit) socket.destroy();
}

function destroyAll(open: ReadonlyMap<Socket, Connection | undefined>): void {
  for (const socket of open.keys()) socket.destroy();
}
