import { once } from 'node:events';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { type Life, type Log, toRfoError } from '@rfo/foundation';
import { splice } from '@rfo/proxy';
import { parseTarget } from '@rfo/tunnel';
import type { Connect } from './connect.ts';

export type ProxyOptions = {
  /** Path of the Unix socket. */
  readonly path: string;
  readonly connect: Connect;
  readonly life: Life;
  readonly log: Log;
};

/**
 * Serves HTTP CONNECT on a Unix socket that root alone may use: how kube-apiserver gets its connections into the cluster. It waits for the
 * answer without a limit of its own, so `connect` must have one. Of a refusal it shows users the status line and nothing else: there the
 * reason stands.
 */
export async function startConnectProxy({ path, connect, life, log }: ProxyOptions): Promise<void> {
  const open = new Set<Duplex>();
  const server = createServer({ headersTimeout: 10_000, connectionsCheckingInterval: 5_000 }, (_, response) => {
    response.writeHead(405, { allow: 'CONNECT', connection: 'close' }).end('This socket takes CONNECT only.\n');
  });
  server.on('connect', (request, socket, head) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    void serve({ request, socket, head, connect, log });
  });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Under another name until its mode is right; renamed over what a dead process has left.
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  server.listen(fresh);
  await once(server, 'listening');
  server.on('error', (error) => log.error('the egress socket failed', { error }));
  server.unref();
  await chmod(fresh, 0o600);
  await rename(fresh, path);
  life.defer(async () => {
    for (const socket of open) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(path, { force: true });
  });
}

async function serve(input: {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly connect: Connect;
  readonly log: Log;
}): Promise<void> {
  const { request, socket, head, connect, log } = input;
  const gone = new AbortController();
  const giveUp = (): void => gone.abort(new Error('the caller hung up'));
  socket.on('error', giveUp).once('close', giveUp);
  const authority = request.url ?? '';
  const target = parseTarget(authority);
  if (target === undefined) return refuse(socket, 400, `not host:port: ${authority}`);
  try {
    const far = await connect(target, gone.signal);
    if (socket.destroyed) return void far.on('error', () => undefined).destroy();
    if (head.length > 0) socket.unshift(head);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.off('close', giveUp);
    splice(socket, far);
  } catch (thrown) {
    if (gone.signal.aborted) return;
    const error = toRfoError(thrown);
    log.debug('a connection of the API server failed', { target: authority, error });
    refuse(socket, error.code === 'egress-no-tunnel' ? 503 : 502, error.message);
  }
}

function refuse(socket: Duplex, status: number, text: string): void {
  const reason = text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 1_000);
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}
