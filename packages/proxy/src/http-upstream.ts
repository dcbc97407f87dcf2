/** The server behind a proxy: HTTP/1.1 over TLS within byte streams that somebody else opens; idle connections are used again. */
import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { orAbort } from '@rfo/foundation';

/** A way to the server, and how it is known there. */
export type Link = {
  /** Bytes to the server. */
  readonly stream: Duplex;
  /** Options of `tls.connect` by which the server is known; `host` is the name or address that its certificate has to be for. */
  readonly tls: LinkTls;
  /** What every request on this connection carries beside its own headers; asked anew for each request. */
  readonly headers: () => Readonly<Record<string, string>>;
};

export type LinkTls = {
  /** PEM of the CA that it is verified against. */
  readonly ca: string;
  readonly host: string;
  /** Asked for in the handshake; none where the host is an address (RFC 6066 §3). */
  readonly servername?: string | undefined;
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
};

export type UpstreamRequest = {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
};

export type Upstream = {
  /**
   * Starts a request on an idle connection or a new one. `onReady` gets it when it is connected; only then may a body be written or the request be
   * ended. Failures come as its `error` event, those of `connect` too.
   */
  readonly request: (request: UpstreamRequest, onReady: (outgoing: ClientRequest) => void) => ClientRequest;
  /** A connection of its own that is nobody else's before or after, with the headers that belong to it. */
  readonly open: (signal: AbortSignal) => Promise<{ readonly socket: TLSSocket; readonly headers: Readonly<Record<string, string>> }>;
  /** Ends the connections that wait for another request, and those in use with their answer: none of before is used again. */
  readonly dropIdle: () => void;
  /** Ends all connections of `request`. */
  readonly close: () => void;
};

/** Milliseconds for the way to the server to be opened, and for the TLS handshake after that. */
const connectWithin = 15_000;
const handshakeWithin = 10_000;
/** Milliseconds that a connection waits for another request: less than servers in Go do (90 s), so that it is we who give up. */
const idleFor = 45_000;
/** Connections kept for bursts. Fewer would cost most when there is most to do: what is ended after a request is dialled again for the next. */
const mostIdle = 256;

/**
 * @param options.connect opens a way; the signal aborts when nobody waits any more
 * @param options.signal ends what is being connected
 */
export function createUpstream(options: {
  readonly connect: (signal: AbortSignal) => Promise<Link>;
  readonly signal: AbortSignal;
}): Upstream {
  const links = new WeakMap<Duplex, Link>();
  /** Those that may be used again. */
  let fresh = new WeakSet<Duplex>();
  const contextOf = keptContext();
  const agent = new Agent({ keepAlive: true, maxFreeSockets: mostIdle, timeout: idleFor, scheduling: 'lifo' });

  const dial = async (signal: AbortSignal): Promise<TLSSocket> => {
    const link = await connectInTime(options.connect, signal);
    const socket = await startTls(link, contextOf(link.tls), signal);
    links.set(socket, link);
    fresh.add(socket);
    return socket;
  };
  const keepAlive = agent.keepSocketAlive;
  // What is not kept is ended.
  agent.keepSocketAlive = (socket) => fresh.has(socket) && keepAlive.call(agent, socket);
  agent.createConnection = (_, callback) => {
    dial(options.signal).then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as never),
    );
    return undefined;
  };

  return {
    request: ({ method, path, headers }, onReady) => {
      const outgoing = httpRequest({ agent, method, path, headers: headers as Record<string, string | string[]>, setHost: false });
      outgoing.once('socket', (socket) => {
        if (outgoing.destroyed) return;
        try {
          for (const [name, value] of Object.entries(links.get(socket)?.headers() ?? {})) outgoing.setHeader(name, value);
          onReady(outgoing);
        } catch (error) {
          // Thrown here it would be nobody's, and end the process.
          outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      });
      return outgoing;
    },
    open: async (signal) => {
      const socket = await dial(AbortSignal.any([signal, options.signal]));
      return { socket, headers: links.get(socket)?.headers() ?? {} };
    },
    dropIdle: () => {
      fresh = new WeakSet();
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    },
    close: () => agent.destroy(),
  };
}

async function connectInTime(open: (signal: AbortSignal) => Promise<Link>, signal: AbortSignal): Promise<Link> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no way to it within ${connectWithin / 1000} s`)), connectWithin);
  const limit = AbortSignal.any([signal, late.signal]);
  const opening = open(limit);
  try {
    return await orAbort(opening, limit);
  } catch (error) {
    // What comes after all is nobody's.
    opening.then(
      ({ stream }) => stream.destroy(),
      () => undefined,
    );
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function startTls({ stream, tls }: Link, secureContext: SecureContext, signal: AbortSignal): Promise<TLSSocket> {
  const { host, servername } = tls;
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ socket: stream, host, secureContext, ALPNProtocols: ['http/1.1'] },
      ...(servername !== undefined && { servername }),
    });
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('secureConnect', secured).off('close', closed);
      then();
    };
    const failed = (error: unknown): void => {
      settle(() => reject(error));
      socket.destroy();
    };
    const abort = (): void => failed(signal.reason);
    const closed = (): void => failed(new Error('the connection was closed during the TLS handshake'));
    const secured = (): void => settle(() => resolve(socket.setNoDelay(true).setKeepAlive(true, 30_000)));
    const timer = setTimeout(() => failed(new Error(`no TLS handshake within ${handshakeWithin / 1000} s`)), handshakeWithin);
    // Stays: an error while nobody uses the connection ends in `close`, which the agent heeds.
    socket.on('error', failed);
    socket.once('secureConnect', secured).once('close', closed);
    // The stream may be of any kind: it is not to outlive the connection within it, and no error of it may be left unhandled.
    stream.on('error', (error) => socket.destroy(error));
    socket.once('close', () => stream.destroy());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** To read certificates takes longer than a handshake. */
function keptContext(): (tls: LinkTls) => SecureContext {
  let kept: { readonly tls: LinkTls; readonly context: SecureContext } | undefined;
  return (tls) => {
    const { ca, cert, key } = tls;
    if (kept?.tls.ca !== ca || kept.tls.cert !== cert || kept.tls.key !== key) {
      const context = createSecureContext({
        ca,
        minVersion: 'TLSv1.2',
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
      });
      kept = { tls, context };
    }
    return kept.context;
  };
}
