/**
 * Connections that the CA makes because a request asks for them: to look at a host's certificate, to fetch an issuer. A request comes from
 * anybody, so by default it cannot make the CA talk to what only the CA's own host can reach.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { orAbort } from '@rfo/foundation';
import { isGuarded } from './guarded-addresses.ts';
import { type HostPort, joinHostPort } from './host-port.ts';

export type Outbound = {
  /** The addresses of a host, or the address itself. @throws Error with the resolver's words */
  readonly resolve: (host: string, signal: AbortSignal) => Promise<readonly string[]>;
  /**
   * Connects to the first address that answers. What is checked is the address that is connected to, so that a name cannot change in between.
   * @throws OutboundRefused where no address may be connected to; else what the last one said
   */
  readonly connect: (to: HostPort, limits: Limits) => Promise<Socket>;
  /** The same with TLS on it. The peer's certificate is not verified: whoever asks wants to see it, whatever it is. */
  readonly connectTls: (to: HostPort, limits: Limits, options?: TlsWish) => Promise<TLSSocket>;
};

export type Limits = {
  readonly signal: AbortSignal;
  /** Milliseconds until the connection (and the handshake) must stand. */
  readonly timeout: number;
};
/** `name` is the server name that is asked for, by default the host. */
export type TlsWish = ConnectionOptions & { readonly name?: string };

export class OutboundRefused extends Error {
  override readonly name = 'OutboundRefused';
}

/**
 * @param options `local`: guarded addresses (see `isGuarded`) may be connected to as well, because the operator says so
 */
export function createOutbound(options: {
  readonly local: boolean;
  readonly lookup?: (host: string) => Promise<readonly string[]>;
}): Outbound {
  const { local, lookup = lookupAll } = options;
  const resolve: Outbound['resolve'] = async (host, signal) => (isIP(host) > 0 ? [host] : await orAbort(lookup(host), signal));
  const connect: Outbound['connect'] = async ({ host, port }, { signal, timeout }) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
    const addresses = await resolve(host, limit);
    const allowed = addresses.filter((address) => local || !isGuarded(address));
    let problem: unknown = new OutboundRefused(`connections to ${addresses[0] ?? host} are not made for requests`);
    for (const address of allowed) {
      try {
        return await untilConnected(connectSocket({ host: address, port, signal: limit }), limit);
      } catch (error) {
        signal.throwIfAborted();
        if (limit.aborted) throw new Error(`dial tcp ${joinHostPort({ host: address, port })}: i/o timeout`, { cause: error });
        problem = error;
      }
    }
    throw problem;
  };
  return {
    resolve,
    connect,
    connectTls: async (to, limits, { name = to.host, ...wish } = {}) => {
      const socket = await connect(to, limits);
      const limit = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeout)]);
      // A server name that is an address is not allowed (RFC 6066 §3).
      const servername = isIP(name) > 0 || name === '' ? {} : { servername: name };
      return await untilSecure(connectTls({ ...wish, ...servername, socket, rejectUnauthorized: false }), limit);
    },
  };
}

async function lookupAll(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true })).map(({ address }) => address);
}

function untilConnected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  return untilEvent(socket, 'connect', signal);
}

function untilSecure(socket: TLSSocket, signal: AbortSignal): Promise<TLSSocket> {
  return untilEvent(socket, 'secureConnect', signal);
}

/** The socket once it has told so; destroyed when it fails, ends or takes too long before. */
async function untilEvent<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const ended = (): void => reject(new Error('the peer closed the connection'));
  const abort = (): void => reject(signal.reason);
  socket.once(event, resolve).once('error', reject).once('close', ended);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    await promise;
    // Whoever uses it hears of later errors by what he reads or by its close; without a listener they would end the process.
    socket.on('error', () => undefined);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  } finally {
    socket.off(event, resolve).off('error', reject).off('close', ended);
    signal.removeEventListener('abort', abort);
  }
}
