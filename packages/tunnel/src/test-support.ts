/** Real ends for the tests: certificates by openssl, a TLS server that accepts tunnels, targets, and a link that can be cut. */
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, type TestContext } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Life, silentLog } from '@rfo/foundation';
import { acceptTunnel, type Tunnel } from './accept-tunnel.ts';
import { type KeepTunnelOptions, keepTunnel, type TunnelState } from './keep-tunnel.ts';
import { type Target, tunnelProtocol } from './protocol.ts';

export type Credentials = { readonly ca: string; readonly cert: string; readonly key: string };

let folder: string | undefined;
// Here, not where it is made: there it would be the end of the test that happens to run.
after(() => folder && rm(folder, { recursive: true }));
let made: Promise<{ readonly issue: (name: string, altNames?: string) => Promise<Credentials> }> | undefined;

/** Issues certificates of one CA for all tests of a file. */
export function issue(name: string, altNames?: string): Promise<Credentials> {
  made ??= makeAuthority();
  return made.then(({ issue }) => issue(name, altNames));
}

async function makeAuthority(): Promise<{ readonly issue: (name: string, altNames?: string) => Promise<Credentials> }> {
  const cwd = await mkdtemp(join(tmpdir(), 'rfo-tunnel-'));
  folder = cwd;
  const openssl = (...args: readonly string[]): unknown => execFileSync('openssl', args, { cwd, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test-ca', '-keyout', 'ca.key', '-out', 'ca.crt');
  const read = (file: string): Promise<string> => readFile(join(cwd, file), 'utf8');
  return {
    issue: async (name, altNames) => {
      openssl('req', ...newKey, '-subj', `/O=system:nodes/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
      const extensions = ['extendedKeyUsage=serverAuth,clientAuth', ...(altNames === undefined ? [] : [`subjectAltName=${altNames}`])];
      await writeFile(join(cwd, `${name}.ext`), extensions.join('\n'));
      const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
      openssl('x509', '-req', '-days', '2', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signer, '-extfile', `${name}.ext`);
      return { ca: await read('ca.crt'), cert: await read(`${name}.crt`), key: await read(`${name}.key`) };
    },
  };
}

export type Acceptor = {
  readonly port: number;
  /** The tunnel accepted next, with the name in the node's certificate. */
  readonly next: () => Promise<Accepted>;
};
export type Accepted = { readonly tunnel: Tunnel; readonly socket: TLSSocket; readonly node: string };

export async function startAcceptor(
  t: TestContext,
  options: { readonly altNames?: string; readonly silentAfter?: number } = {},
): Promise<Acceptor> {
  const { altNames = 'IP:127.0.0.1,DNS:kubernetes' } = options;
  const waiting: Accepted[] = [];
  const arrived = new EventEmitter();
  const credentials = await issue(`server-${altNames.replace(/\W/g, '')}`, altNames);
  const server = createTlsServer({ ...credentials, requestCert: true, ALPNProtocols: [tunnelProtocol, 'http/1.1'] }, (socket) => {
    const tunnel = acceptTunnel(socket, options);
    t.after(() => tunnel.close());
    waiting.push({ tunnel, socket, node: String(socket.getPeerCertificate().subject.CN) });
    arrived.emit('tunnel');
  });
  server.on('tlsClientError', () => undefined);
  return {
    port: await listen(t, server),
    next: async () => {
      for (;;) {
        const first = waiting.shift();
        if (first !== undefined) return first;
        await once(arrived, 'tunnel', { signal: t.signal });
      }
    },
  };
}

export type Kept = {
  readonly life: Life;
  /** Resolves at the next change to this state that was not waited for yet. */
  readonly until: (state: TunnelState) => Promise<string | undefined>;
};

export async function startKeeper(t: TestContext, port: number, options: Partial<KeepTunnelOptions> = {}): Promise<Kept> {
  const life = new Life();
  t.after(() => life.end());
  const changes: { readonly state: TunnelState; readonly reason: string | undefined }[] = [];
  const changed = new EventEmitter();
  const credentials = await issue('node-1');
  keepTunnel({
    ...{ host: '127.0.0.1', port, tls: async () => credentials, allow: () => true, life, log: silentLog },
    onState: (state, reason) => {
      changes.push({ state, reason });
      changed.emit('change');
    },
    ...options,
  });
  return {
    life,
    until: async (state) => {
      for (;;) {
        const at = changes.findIndex((each) => each.state === state);
        if (at >= 0) return changes.splice(0, at + 1).at(-1)?.reason;
        await once(changed, 'change', { signal: t.signal });
      }
    },
  };
}

/** A tunnel that stands, both ends in this process. */
export async function standingTunnel(t: TestContext, options: Partial<KeepTunnelOptions> = {}): Promise<Accepted & Kept> {
  const acceptor = await startAcceptor(t);
  const kept = await startKeeper(t, acceptor.port, options);
  return { ...(await acceptor.next()), ...kept };
}

/** A TCP server on loopback that serves each connection. */
export async function startTarget(t: TestContext, serve: (socket: Socket) => void): Promise<Target> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    serve(socket);
  });
  return { host: '127.0.0.1', port: await listen(t, server) };
}

/** All that is read until the end, of one half: those of node:stream/consumers end the other half as well. */
export function all(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
  });
}

/** A loopback port that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export type Relay = {
  readonly port: number;
  /** From now on no byte passes and nobody is told: on the connections that stand, and on new ones unless only those that stand are cut. */
  readonly cut: (which?: 'all' | 'standing') => void;
  /** Bytes pass again, those held back first; connections of before the cut stay dead when `forget`. */
  readonly heal: (options?: { readonly forget?: boolean }) => void;
};

/** A link between the two ends. */
export async function startRelay(t: TestContext, port: number): Promise<Relay> {
  type Pair = { readonly near: Socket; readonly far: Socket };
  const standing = new Set<Pair>();
  const cutOff = new Set<Pair>();
  const held = new Set<Socket>();
  let open = true;
  const join = ({ near, far }: Pair): void => {
    near.pipe(far);
    far.pipe(near);
  };
  const pass = (near: Socket): void => {
    const pair = { near, far: connect({ port, host: '127.0.0.1', noDelay: true }) };
    standing.add(pair);
    for (const socket of [pair.near, pair.far]) {
      t.after(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (standing.delete(pair)) (socket === near ? pair.far : near).destroy();
      });
    }
    join(pair);
  };
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    if (open) return pass(socket);
    t.after(() => socket.destroy());
    held.add(socket.on('error', () => undefined));
  });
  return {
    port: await listen(t, server),
    cut: (which = 'all') => {
      open = which === 'standing';
      for (const pair of standing) {
        cutOff.add(pair);
        for (const socket of [pair.near, pair.far]) socket.unpipe().pause();
      }
      standing.clear();
    },
    heal: ({ forget = false } = {}) => {
      open = true;
      for (const pair of forget ? [] : cutOff) {
        standing.add(pair);
        join(pair);
      }
      cutOff.clear();
      for (const socket of held) pass(socket);
      held.clear();
    },
  };
}

export async function listen(t: TestContext, server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}
