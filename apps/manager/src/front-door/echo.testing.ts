/** For tests: a server behind the front door that shows what it gets, and takes every upgrade. */
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TestCluster } from '@rfo/kube';

export type Echo = {
  readonly server: Server;
  /** Emits `request` and `upgrade` with what reached it. */
  readonly arrived: EventEmitter;
  readonly stop: () => Promise<void>;
};

export async function startEcho(cluster: TestCluster): Promise<Echo> {
  const { cert, key } = cluster.issue('echo', '/CN=echo');
  const server = createServer({ cert: await readFile(cert), key: await readFile(key), keepAliveTimeout: 60_000 });
  const arrived = new EventEmitter();
  serveEcho(server, arrived);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { server, arrived, stop };
}

function serveEcho(server: Server, arrived: EventEmitter): void {
  server.on('request', (request, response) => {
    arrived.emit('request', request, response);
    const { url = '' } = request;
    if (url.startsWith('/held')) return;
    if (url.startsWith('/watch')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      return;
    }
    if (url.startsWith('/odd')) {
      response.writeHead(302, {
        'set-cookie': '__Host-rfo-session=x',
        location: '/login',
        'access-control-allow-origin': '*',
        'www-authenticate': 'Basic',
        'x-fine': '1',
      });
      response.end();
      return;
    }
    if (url.startsWith('/elsewhere')) return void response.writeHead(307, { location: 'https://example.com/' }).end();
    if (url.startsWith('/unauthorized')) return void response.writeHead(401).end('no');
    const hash = createHash('sha256');
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    request.on('end', () => response.end(JSON.stringify({ url, headers: request.rawHeaders, bytes, hash: hash.digest('hex') })));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    arrived.emit('upgrade', request, socket, head);
    socket.on('error', () => undefined);
    if (request.url?.includes('/forbidden/')) {
      socket.write('HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno');
      return;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nhello`,
    );
    socket.pipe(socket);
  });
}
