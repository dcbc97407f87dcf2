/** For tests: a server's port for tunnels with real certificates, and nodes that keep real tunnels to it, all on loopback. */
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Life, type Log, silentLog, systemClock } from '@rfo/foundation';
import { acceptTunnel, keepTunnel, type Target, type Tunnel, type TunnelState, tunnelProtocol } from '@rfo/tunnel';
import { ensureCertificates } from '../certificates/ensure.ts';
import { inputs } from '../certificates/node.testing.ts';
import { nodePaths, type Paths } from '../paths.ts';
import { createTunnelRegistry, type TunnelRegistry } from './registry.ts';

export type NodeFiles = { readonly ca: string; readonly cert: string; readonly key: string };
export type TestServer = {
  readonly paths: Paths;
  readonly life: Life;
  readonly tunnels: TunnelRegistry;
  readonly port: number;
  /** Certificate files of a node of that name. */
  readonly filesOf: (node: string) => Promise<NodeFiles>;
  /** Keeps a tunnel for a node; resolves when the server has it, with the life to end it by. */
  readonly keep: (node: string, allow: (target: Target) => boolean) => Promise<Life>;
  /** Breaks every connection as a lost link would, without a word. */
  readonly breakAll: () => void;
  /** The same, and the server on that address does not come back. */
  readonly stop: (host: string) => void;
};

export type TestServerOptions = {
  readonly log?: Log;
  readonly returnWithin?: number;
  /** Takes tunnels in the place of the registry that is made here. */
  readonly register?: (node: string, tunnel: Tunnel, host: string) => void;
  /** Loopback addresses to listen on, all on the same port: as many servers for a node. */
  readonly hosts?: readonly [string, ...string[]];
};

/** An address that the API server takes for a node's, which loopback is not. It is of this host, so what is dialled there stays here. */
export const nodeAddress =
  Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry?.family === 'IPv4' && !entry.internal)?.address ?? 'this host has no address';

export async function startTestServer(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const { hosts = ['127.0.0.1'] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'rfo-egress-'));
  const paths = nodePaths({ dataDir: folder, runDir: join(folder, 'run'), etcDir: join(folder, 'etc') });
  const life = new Life();
  t.after(async () => {
    await life.end();
    await rm(folder, { recursive: true });
  });
  const certify = (nodeName: string) =>
    ensureCertificates({ paths, inputs: { ...inputs, nodeName, nodeIps: [nodeAddress, ...hosts] }, clock: systemClock });
  await certify('server-1');
  const tls = (file: string): string => join(paths.server.tls, file);
  const [cert, key, ca] = await Promise.all(
    ['serving-kube-apiserver.crt', 'serving-kube-apiserver.key', 'client-ca.crt'].map((file) => readFile(tls(file))),
  );
  const tunnels = createTunnelRegistry({ life, log: silentLog, ...options });
  const { register = tunnels.register } = options;
  const sockets = new Set<TLSSocket>();
  const listen = async (host: string, port: number): Promise<Server> => {
    const server = createServer({ ...{ cert, key, ca }, requestCert: true, ALPNProtocols: [tunnelProtocol] }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      const name = String(socket.getPeerCertificate().subject.CN).replace('system:node:', '');
      register(name, acceptTunnel(socket), host);
    });
    server.listen(port, host);
    await once(server, 'listening');
    life.defer(() => server.close());
    return server;
  };
  const first = await listen(hosts[0], 0);
  const { port } = first.address() as AddressInfo;
  const servers = new Map([[hosts[0], first]]);
  for (const host of hosts.slice(1)) servers.set(host, await listen(host, port));

  const filesOf = async (node: string): Promise<NodeFiles> => {
    await certify(node);
    const own = { ca: tls('server-ca.crt'), cert: join(folder, `${node}.crt`), key: join(folder, `${node}.key`) };
    await Promise.all([copyFile(tls('client-kubelet.crt'), own.cert), copyFile(tls('client-kubelet.key'), own.key)]);
    return own;
  };
  const keep: TestServer['keep'] = async (node, allow) => {
    const files = await filesOf(node);
    const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map((file) => readFile(file, 'utf8')));
    const own = life.child();
    const up = Promise.withResolvers<void>();
    const onState = (state: TunnelState, reason?: string): void => (state === 'up' ? up.resolve() : up.reject(new Error(reason)));
    const credentials = { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
    keepTunnel({ host: '127.0.0.1', port, tls: async () => credentials, allow, life: own, log: silentLog, onState });
    await up.promise;
    return own;
  };
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const stop = (host: string): void => {
    servers.get(host)?.close();
    for (const socket of sockets) if (socket.localAddress === host) socket.destroy();
  };
  return { paths, life, tunnels, port, filesOf, keep, breakAll, stop };
}

/** A TCP server on a port of 127.0.0.1 that the system chooses; the address is another of the same host where one is given. */
export async function listenTcp(t: TestContext, serve: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  const open = new Set<Socket>();
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket.on('error', () => undefined));
    serve(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
