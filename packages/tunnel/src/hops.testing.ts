/** Real things that stand between the two ends, for the tests: a hop that ends TLS and speaks HTTP/1.1 alone, and an HTTP proxy. */
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { acceptTunnel, type Tunnel } from './accept-tunnel.ts';
import { createWebSocketAcceptor } from './accept-websocket.ts';
import type { Carrier } from './carrier.ts';
import { tunnelProtocol } from './protocol.ts';
import { issue, listen } from './test-support.ts';

/** A server as the manager is one: tunnels by ALPN, and upgrades to WebSockets on the same port. */
export async function startServer(
  t: TestContext,
  options: { readonly refuse?: string; readonly silentAfter?: number } = {},
): Promise<{
  readonly port: number;
  readonly next: () => Promise<{ readonly tunnel: Tunnel; readonly carrier: Carrier }>;
  readonly upgrades: IncomingMessage[];
  /** What came of them behind their heads. */
  readonly received: Buffer[];
}> {
  const credentials = await issue('server-hops', 'IP:127.0.0.1');
  const server = createHttpsServer({ ...credentials, ALPNProtocols: [tunnelProtocol, 'http/1.1'] });
  const acceptor = createWebSocketAcceptor();
  const upgrades: IncomingMessage[] = [];
  const received: Buffer[] = [];
  const arrived: { readonly tunnel: Tunnel; readonly carrier: Carrier }[] = [];
  const waiting: ((value: { readonly tunnel: Tunnel; readonly carrier: Carrier }) => void)[] = [];
  const take = (carrier: Carrier): void => {
    const tunnel = acceptTunnel(carrier, options);
    t.after(() => tunnel.close());
    const taker = waiting.shift();
    if (taker === undefined) arrived.push({ tunnel, carrier });
    else taker({ tunnel, carrier });
  };
  const http = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    if (socket.alpnProtocol === tunnelProtocol) return take(socket);
    for (const listener of http) listener.call(server, socket);
  });
  server.on('upgrade', (request, socket, head) => {
    upgrades.push(request);
    received.push(head);
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    if (options.refuse === undefined) void acceptor.accept(request, socket, head).then(take);
    else socket.end(`HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n${options.refuse}`);
  });
  t.after(() => server.closeAllConnections());
  return {
    upgrades,
    received,
    port: await listen(t, server),
    next: () => {
      const first = arrived.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
  };
}

/** Ends TLS with a certificate of its own and passes HTTP/1.1 on, upgrades included, over another TLS connection. */
export async function startHop(t: TestContext, target: number): Promise<{ readonly port: number; readonly cut: () => void }> {
  const credentials = await issue('hop', 'IP:127.0.0.1');
  const open = new Set<Duplex>();
  const server = createHttpsServer({ ...credentials, ALPNProtocols: ['http/1.1'] });
  server.on('upgrade', (request, socket, head) => {
    const far = connectTls({ port: target, host: '127.0.0.1', ca: credentials.ca, ALPNProtocols: ['http/1.1'] });
    for (const each of [socket, far]) {
      open.add(each);
      each.on('error', () => undefined);
      each.once('close', () => (each === far ? socket : far).destroy());
    }
    far.once('secureConnect', () => {
      const headers = request.rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${request.rawHeaders[index + 1]}`] : []));
      far.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      far.write(head);
      socket.pipe(far).pipe(socket);
    });
  });
  const cut = (): void => {
    for (const each of open) each.destroy();
  };
  t.after(cut);
  return { port: await listen(t, server), cut };
}

/** Knows CONNECT alone. @param allow says of a `host:port` and the credentials what it answers */
export async function startProxy(
  t: TestContext,
  allow: (target: string, credentials: string | undefined) => number = () => 200,
): Promise<{ readonly url: URL; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createHttpServer();
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    const target = request.url ?? '';
    asked.push(target);
    socket.on('error', () => undefined);
    t.after(() => socket.destroy());
    const status = allow(target, request.headers['proxy-authorization']);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${target}`);
    const far = connect({ host: hostname, port: Number(port) });
    t.after(() => far.destroy());
    far.on('error', () => socket.destroy());
    far.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(far).pipe(socket);
    });
  });
  return { url: new URL(`http://127.0.0.1:${await listen(t, server)}`), asked };
}
