/**
 * Serves certificate status over plain HTTP, as what tells of revocation must be fetched without TLS (RFC 5280 §4.2.1.13). OCSP clients send ever the
 * same few bytes: those are read by a reader of our own, and everything else by `node:http` on the same connection
 * (docs/decisions/0011-ocsp-fast-path.md).
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { fail, type Life, type Log, systemCode } from '@rfo/foundation';
import { aliasOf, answerStatus, fromReply, type StatusAnswer, type StatusSources } from './answer-http.ts';
import { type Connection, serveConnection } from './connection.ts';
import type { StatusHandler } from './handler.ts';
import type { SimpleRequest } from './simple-request.ts';
import { createWire } from './wire.ts';

export type StatusServerInputs = {
  readonly status: StatusSources & { readonly handler: StatusHandler };
  readonly listen: { readonly host: string; readonly port: number };
  readonly life: Life;
  readonly log: Log;
  /** Milliseconds after which a connection is given up on which nothing goes on. */
  readonly idleMs?: number;
};

/** Milliseconds, bytes and counts that keep strangers from holding on to the server. */
const bounds = { headersTimeout: 10_000, requestTimeout: 20_000, connectionsCheckingInterval: 5_000, maxHeaderSize: 8 * 1024 } as const;
const idleMs = 30_000;
const mostConnections = 10_000;

/** Listens until the life ends; gives the port. @throws port-taken */
export async function serveStatus(inputs: StatusServerInputs): Promise<{ readonly port: number }> {
  const { status, life, log } = inputs;
  const idle = inputs.idleMs ?? idleMs;
  const complete = createHttpServer({ ...bounds, keepAliveTimeout: idle, noDelay: true }, status.handler);
  const answer = answerFrom(status, log);
  const wire = createWire(Date.now);
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
  server.maxConnections = mostConnections;
  const sweep = setInterval(() => closeIdle(open, idle), Math.min(5_000, idle / 2));
  sweep.unref();
  life.defer(() => {
    clearInterval(sweep);
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open.keys()) socket.destroy();
    // Its own checks of timeouts end with it.
    complete.close();
    return closed;
  });
  return { port: await listen(server, inputs.listen) };
}

function answerFrom(status: StatusSources, log: Log): (request: SimpleRequest) => StatusAnswer | Promise<StatusAnswer> {
  return (request) => {
    const known = request.ifNoneMatch === undefined ? status.ocsp.recognise(aliasOf(request)) : undefined;
    if (known !== undefined) return fromReply(known);
    return answerStatus(request, status).catch((error: unknown) => {
      log.error('a request for the status of certificates could not be answered', { url: request.url, error });
      return { status: 503, headers: { 'Retry-After': '10' }, body: Buffer.alloc(0) };
    });
  };
}

function closeIdle(open: ReadonlyMap<Socket, Connection | undefined>, idle: number): void {
  const limit = performance.now() - idle;
  for (const [socket, connection] of open) if (connection !== undefined && connection.since() < limit) socket.destroy();
}

/** Gives the port that it listens on. */
function listen(server: Server, { host, port }: StatusServerInputs['listen']): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void =>
      reject(systemCode(error) === 'EADDRINUSE' ? fail('port-taken', { port, holder: 'another process' }, error) : error);
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
