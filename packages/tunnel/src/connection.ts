/** The dialling end of an established tunnel: an HTTP/2 server that serves the streams which the other end opens. */
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { TLSSocket } from 'node:tls';
import type { Carrier } from './carrier.ts';
import { problemOf, sessionOptions, type Target } from './protocol.ts';
import { type Reach, serveStream } from './serve-stream.ts';
import type { CreateService } from './service.ts';
import { fitWindows } from './windows.ts';

export type Connection = {
  readonly socket: Carrier;
  readonly session: ServerHttp2Session;
  /** Over a WebSocket. */
  readonly websocket: boolean;
  /** Settles when the service has decided whether the other end is the right one; a rejection ends the connection. */
  readonly accepted: Promise<unknown>;
  /** Resolves when the service wants another connection in its place. */
  readonly unwanted: Promise<void>;
  /** Resolves with the reason when it is over; all its streams are reset then. */
  readonly ended: Promise<string>;
  /** Ends it at once. */
  readonly end: (reason: string) => void;
  /** Ends it soon after its last stream: another one has taken its place. */
  readonly retire: () => void;
};

/**
 * How long (ms) a connection without streams that is not needed any more is kept: what its last stream brought may lie unread at the other end, where
 * it would be lost with the connection, and nothing tells when it was read.
 */
const linger = 2_000;

/** Servers of the same cluster may reset streams as often as they like. */
const resets = { streamResetBurst: 100_000, streamResetRate: 10_000 };

export function openConnection(
  socket: Carrier,
  options: {
    readonly allow: (target: Target) => boolean;
    readonly reach?: Reach | undefined;
    readonly service?: CreateService | undefined;
  },
): Connection {
  const streams = new Set<ServerHttp2Stream>();
  const ended = Promise.withResolvers<string>();
  const unwanted = Promise.withResolvers<void>();
  let reason: string | undefined;
  let retired = false;
  let leaving: NodeJS.Timeout | undefined;
  const end = (why: string): void => {
    reason ??= why;
    socket.destroy();
  };
  const endIfIdle = (): void => {
    clearTimeout(leaving);
    if (retired && streams.size === 0) leaving = setTimeout(end, linger, 'replaced');
  };
  socket.once('error', (error) => end(error.message));
  socket.once('close', () => clearTimeout(leaving));
  socket.once('close', () => ended.resolve(reason ?? 'the server closed the connection'));
  const session = performServerHandshake(socket, { ...sessionOptions(socket), ...resets });
  fitWindows(session, socket);
  session.on('error', (error) => end(problemOf(error)));
  session.once('goaway', () => end('the server ended it'));
  const websocket = !(socket instanceof TLSSocket);
  const service = options.service?.({ end, replace: unwanted.resolve, websocket });
  const accepted = Promise.resolve(service?.accepted);
  accepted.catch((error: unknown) => end(problemOf(error)));
  session.on('stream', (stream, headers) => {
    if (service !== undefined && headers[':method'] !== 'CONNECT') {
      // Every failure ends in `close`.
      stream.on('error', () => undefined);
      return service.serve(stream, headers);
    }
    streams.add(stream);
    clearTimeout(leaving);
    stream.once('close', () => {
      streams.delete(stream);
      endIfIdle();
    });
    serveStream(stream, headers, options);
  });
  return {
    socket,
    session,
    websocket,
    accepted,
    unwanted: unwanted.promise,
    ended: ended.promise,
    end,
    retire: () => {
      retired = true;
      endIfIdle();
    },
  };
}
