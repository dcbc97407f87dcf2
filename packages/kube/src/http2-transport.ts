import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { fail, RfoError } from '@rfo/foundation';
import type { CredentialReader, Credentials } from './credentials.ts';
import { type Exchange, exchange } from './http2-exchange.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** Milliseconds to establish a connection. */
const connectWithin = 10_000;
/** A connection is asked for a sign of life this often (ms); without one until the next time it is dead. */
const pingEvery = 30_000;
/** Bytes the server may send ahead of us: Node's own 64 KiB make a list of megabytes wait for round trips. */
const streamWindow = 1024 * 1024;
const connectionWindow = 8 * 1024 * 1024;
/** Where the server names no limit of streams; kept below what it names, so that a short request always finds room beside watches. */
const streamLimit = 200;

type Connection = { readonly session: ClientHttp2Session; readonly open: Set<Exchange>; readonly credentials: Credentials };

/**
 * Requests over HTTP/2: one TLS connection carries all of them, watches included (docs/decisions/0004).
 * When credentials change, new requests use a new connection; the old one ends with its last watch.
 * @param options.server `https://host:port`
 */
export function createHttp2Transport(options: {
  readonly server: string;
  readonly credentials: CredentialReader;
  /** Name in the server's certificate where it is not the host of `server`. */
  readonly serverName?: string | undefined;
  /** Gives the bytes to the server where they do not go through a connection to its address; TLS runs inside, up to the server named. */
  readonly open?: (() => Promise<Duplex>) | undefined;
}): Transport {
  const connections = new Set<Connection>();
  let connecting: { readonly credentials: Credentials; readonly connection: Promise<Connection> } | undefined;
  let closed = false;

  const usable = (credentials: Credentials): Connection | undefined => {
    for (const connection of connections) {
      const { session, open } = connection;
      if (session.closed || session.destroyed) continue;
      if (connection.credentials !== credentials) session.close();
      else if (open.size < limitOf(session)) return connection;
    }
    return undefined;
  };

  const establish = async (credentials: Credentials): Promise<Connection> => {
    const session = await openSession(options, credentials);
    const connection: Connection = { session, open: new Set(), credentials };
    connections.add(connection);
    session.once('close', () => connections.delete(connection));
    // Streams above `lastStreamId` were never looked at by the server: they may be sent again, on another connection.
    session.once('goaway', (code: number, lastStreamId: number) => {
      for (const running of connection.open) running.refuseAbove(lastStreamId, code);
    });
    keepAlive(session);
    if (closed) session.destroy();
    return connection;
  };

  const connectionFor = (credentials: Credentials): Connection | Promise<Connection> => {
    const found = usable(credentials);
    if (found !== undefined) return found;
    if (connecting?.credentials !== credentials) {
      const connection = establish(credentials).finally(() => {
        if (connecting?.connection === connection) connecting = undefined;
      });
      connecting = { credentials, connection };
    }
    return connecting.connection;
  };

  const send = async (request: TransportRequest): Promise<TransportResponse> => {
    if (closed) throw fail('kube-unreachable', { server: options.server, problem: 'the client is closed' });
    const credentials = options.credentials.current();
    const { session, open } = await connectionFor(credentials);
    request.signal?.throwIfAborted();
    const headers = { ...(credentials.token && { authorization: `Bearer ${credentials.token}` }), ...request.headers };
    return exchange(session, open, { ...request, headers });
  };

  /** Any failure of the network becomes kube-unreachable, an aborted signal its reason. A TypeError is a mistake of ours and stays. */
  const known = (error: unknown, signal: AbortSignal | undefined): unknown => {
    if (signal?.aborted) return signal.reason;
    if (error instanceof RfoError || error instanceof TypeError) return error;
    return fail('kube-unreachable', { server: options.server, problem: problemOf(error) }, error);
  };

  async function* bodyOf(response: TransportResponse, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    try {
      yield* response.body;
    } catch (error) {
      throw known(error, signal);
    }
  }

  /** Once more with what the files hold now, where they were renewed within the second since they were last looked at. */
  const sendRenewed = async (request: TransportRequest): Promise<TransportResponse> => {
    const used = options.credentials.current();
    const response = await sendAgainIfRefused(() => send(request));
    if (response.status !== 401 || options.credentials.current({ now: true }) === used) return response;
    for await (const _ of response.body);
    return send(request);
  };

  return {
    request: async (request) => {
      const { signal } = request;
      signal?.throwIfAborted();
      try {
        const response = await sendRenewed(request);
        return { ...response, body: bodyOf(response, signal) };
      } catch (error) {
        throw known(error, signal);
      }
    },
    close: () => {
      closed = true;
      for (const { session } of connections) session.destroy();
    },
  };
}

/** Once more where the server says that it did nothing, or where the connection ended before anything was sent. */
async function sendAgainIfRefused<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'RFO_REFUSED_STREAM' && code !== 'ERR_HTTP2_INVALID_SESSION' && code !== 'ERR_HTTP2_GOAWAY_SESSION') throw error;
    return send();
  }
}

type Way = Pick<Parameters<typeof createHttp2Transport>[0], 'server' | 'serverName' | 'open'>;

async function openSession({ server, serverName, open }: Way, { ca, cert, key }: Credentials): Promise<ClientHttp2Session> {
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(serverName && { servername: serverName }) };
  const within = open && (await openTls({ server, tls, stream: await open() }));
  return new Promise((resolve, reject) => {
    const session = connect(server, {
      ...tls,
      ...(within && { createConnection: () => within }),
      settings: { enablePush: false, initialWindowSize: streamWindow },
    });
    // What could still be written to is over all the same: HTTP/2 knows no half of a connection, and Node takes no notice of it.
    within?.once('end', () => session.destroy(new Error('the server closed the connection')));
    const timer = setTimeout(() => session.destroy(new Error(`no connection within ${connectWithin / 1000} s`)), connectWithin);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      session.off('error', refused).off('close', refused);
      then();
    };
    const refused = (error?: Error): void => {
      session.on('error', () => undefined);
      settle(() => reject(error ?? new Error('the server closed the connection')));
    };
    session.once('error', refused).once('close', refused);
    session.once('connect', () =>
      settle(() => {
        session.setLocalWindowSize(connectionWindow);
        // Its streams end with the same error and report it to whom it concerns.
        session.on('error', () => undefined);
        resolve(session);
      }),
    );
  });
}

/** In a stream that is there already. Throws what is wrong with the server's certificate. */
function openTls(input: { readonly server: string; readonly tls: ConnectionOptions; readonly stream: Duplex }): Promise<TLSSocket> {
  const host = new URL(input.server).hostname.replace(/^\[|\]$/g, '');
  const socket = connectTls({
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...input.tls,
    socket: input.stream,
    ALPNProtocols: ['h2'],
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(`no TLS within ${connectWithin / 1000} s`)), connectWithin);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      socket.off('close', closed);
      then();
    };
    const closed = (): void => settle(() => reject(new Error('the server closed the connection')));
    // Stays: what comes later ends the session, which tells its streams.
    socket.on('error', (error) => settle(() => reject(error))).once('close', closed);
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol === 'h2') return settle(() => resolve(socket));
      socket.destroy(new Error('the server does not speak HTTP/2'));
    });
  });
}

function keepAlive(session: ClientHttp2Session): void {
  let answered = true;
  const timer = setInterval(() => {
    if (!answered) session.destroy(new Error('the server fell silent'), constants.NGHTTP2_CANCEL);
    if (session.destroyed) return;
    answered = false;
    session.ping(() => {
      answered = true;
    });
  }, pingEvery);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}

function limitOf(session: ClientHttp2Session): number {
  const named = session.remoteSettings.maxConcurrentStreams ?? streamLimit;
  return Math.max(1, Math.min(named, streamLimit) - 8);
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof Error ? error.cause.message : undefined;
  return inner ?? (error instanceof AggregateError ? error.errors.map(problemOf).join('; ') : error.message);
}
