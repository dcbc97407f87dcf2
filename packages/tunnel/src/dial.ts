/** Dials a server once. */
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Carrier } from './carrier.ts';
import { type Connection, openConnection } from './connection.ts';
import { connectThroughProxy } from './http-proxy.ts';
import { type Target, tunnelProtocol } from './protocol.ts';
import type { Reach } from './serve-stream.ts';
import type { CreateService } from './service.ts';

/** Milliseconds for the server to accept, and for it to say its first words of the tunnel after that; of servers near by. */
const connectNear = 1000;
const greetNear = 2000;

export type DialOptions = {
  readonly host: string;
  readonly port: number;
  /** Asked at each dial for where to go, in place of `host` and `port`. */
  readonly at?: (() => Target) | undefined;
  /** Read at each dial. Without `ca`, the authorities that Node trusts. */
  readonly tls: () => Promise<{ readonly ca?: string; readonly cert?: string; readonly key?: string }>;
  readonly allow: (target: Target) => boolean;
  readonly reach?: Reach | undefined;
  /** Answers the requests of the other end that are no streams to a target. */
  readonly service?: CreateService | undefined;
  /**
   * What to ask for, over HTTP/1.1, of a hop that does not let `tunnelProtocol` through; read at such a dial. Left out, such a hop is refused.
   */
  readonly websocket?: (() => { readonly path: string; readonly headers: Readonly<Record<string, string>> }) | undefined;
  /** Asked at each dial for the HTTP proxy to go through. */
  readonly proxy?: ((server: Target) => URL | undefined) | undefined;
  /** Milliseconds until there is a connection (1000; not with a proxy), and until there is a tunnel after that (2000). */
  readonly within?: { readonly connect: number; readonly greet: number } | undefined;
};

/** Resolves once the server has accepted the tunnel. Rejects with what is wrong, or with the signal's reason; then nothing is left open. */
export async function dial(options: DialOptions & { readonly signal: AbortSignal }): Promise<Connection> {
  const { signal, within = { connect: connectNear, greet: greetNear } } = options;
  const credentials = await options.tls();
  signal.throwIfAborted();
  const attempt = new AbortController();
  const abort = (): void => attempt.abort(signal.reason);
  const limit = (ms: number, problem: (seconds: number) => string): NodeJS.Timeout =>
    setTimeout(() => attempt.abort(new Error(problem(ms / 1000))), ms);
  signal.addEventListener('abort', abort, { once: true });
  let timer = limit(within.connect, (seconds) => `no connection within ${seconds} s`);
  const onConnected = (): void => {
    clearTimeout(timer);
    timer = limit(within.greet, (seconds) => `no tunnel within ${seconds} s of connecting`);
  };
  try {
    const server = options.at?.() ?? { host: options.host, port: options.port };
    const socket = await openTls({ ...options, server, credentials, onConnected, signal: attempt.signal });
    return await greet(await carry(socket, { ...options, server, signal: attempt.signal }), options, attempt.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

type Attempt = DialOptions & {
  readonly server: Target;
  readonly credentials: ConnectionOptions;
  readonly onConnected: () => void;
  readonly signal: AbortSignal;
};

async function openTls(options: Attempt): Promise<TLSSocket> {
  const { server, credentials, websocket, onConnected, signal } = options;
  const { host, port } = server;
  const proxy = options.proxy?.(server);
  const through = proxy && (await connectThroughProxy(proxy, server, signal));
  const socket = connect({
    ...credentials,
    ALPNProtocols: websocket === undefined ? [tunnelProtocol] : [tunnelProtocol, 'http/1.1'],
    // Hops of others may know no better than 1.2.
    minVersion: websocket === undefined ? 'TLSv1.3' : 'TLSv1.2',
    ...{ host, port },
    ...(through && { socket: through }),
    ...(isIP(host) === 0 && { servername: host }),
  });
  if (through === undefined) socket.once('connect', onConnected);
  else onConnected();
  // Stays for good: an error after the first means nothing any more, but would end the process.
  socket.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      signal.removeEventListener('abort', abort);
      socket.off('error', failed).off('close', closed);
      then();
    };
    const failed = (error: unknown): void => {
      settle(() => reject(error));
      socket.destroy();
    };
    const abort = (): void => failed(signal.reason);
    const closed = (): void => failed(new Error('the server closed the connection'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', failed).once('close', closed);
    socket.once('secureConnect', () => settle(() => resolve(socket)));
    if (signal.aborted) abort();
  });
}

/** The connection itself, or a WebSocket in it, whose library only who comes so far loads: no node of a cluster of our own does. */
async function carry(socket: TLSSocket, { server, websocket, signal }: Pick<Attempt, 'server' | 'websocket' | 'signal'>): Promise<Carrier> {
  if (socket.alpnProtocol === tunnelProtocol) return socket;
  if (websocket === undefined) {
    socket.destroy();
    throw new Error(`it does not speak ${tunnelProtocol}`);
  }
  const { upgrade } = await import('./upgrade.ts');
  return upgrade(socket, { server, ...websocket(), signal });
}

/** A server that does not want the certificate says so only now, after its handshake; a service may have its own conditions. */
async function greet(carrier: Carrier, options: DialOptions, signal: AbortSignal): Promise<Connection> {
  const connection = openConnection(carrier, options);
  const abort = (): void => connection.end(String(signal.reason instanceof Error ? signal.reason.message : signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const over = connection.ended.then((reason) => Promise.reject(signal.aborted ? signal.reason : new Error(reason)));
    const greeted = new Promise((resolve) => connection.session.once('remoteSettings', resolve));
    await Promise.race([Promise.all([greeted, connection.accepted]), over]);
    return connection;
  } catch (error) {
    connection.end(error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
