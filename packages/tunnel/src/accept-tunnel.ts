/** The accepting end of a tunnel, on a server: it opens the streams. */
import { type ClientHttp2Stream, connect } from 'node:http2';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { fail } from '@rfo/foundation';
import type { Carrier } from './carrier.ts';
import { openStream } from './open-stream.ts';
import { problemOf, sessionOptions, type Target } from './protocol.ts';
import { type Answer, ask } from './service.ts';
import { fitWindows } from './windows.ts';

export type Tunnel = {
  /**
   * A byte stream to a target as seen from the node; each half closes by itself. The signal matters until it is connected. When the tunnel
   * breaks, the stream fails with tunnel-closed. Throws tunnel-refused, tunnel-unreachable, tunnel-closed.
   */
  readonly connect: (target: Target, options?: { readonly signal?: AbortSignal }) => Promise<Duplex>;
  /** Asks the dialling end itself, see `CreateService`: GET, or POST where there is a body. Throws tunnel-closed, or the signal's reason. */
  readonly ask: (path: string, options?: { readonly body?: string; readonly signal?: AbortSignal }) => Promise<Answer>;
  /** Resolves with the reason when the tunnel is over. */
  readonly closed: Promise<string>;
  readonly close: () => void;
};

/**
 * Takes over a connection on which ALPN chose `tunnelProtocol`, or a WebSocket in its place. Who is at the other end is the caller's to check, before. Nothing may have
 * been written to the socket: Node aborts the process when HTTP/2 gets one with a write pending. Throws tunnel-closed when it is closed.
 * @param options.silentAfter ms without a byte from the node after which the tunnel is closed (10000); the node pings at least every 3 s
 */
export function acceptTunnel(socket: Carrier, options: { readonly silentAfter?: number } = {}): Tunnel {
  const { silentAfter = 10_000 } = options;
  if (socket.writableLength > 0) throw new TypeError('a tunnel needs a socket that nothing was written to');
  if (socket.destroyed) throw fail('tunnel-closed', { problem: 'the node closed the connection' });
  const open = new Set<ClientHttp2Stream>();
  const closed = Promise.withResolvers<string>();
  let over: string | undefined;
  const end = (problem: string): void => {
    if (over !== undefined) return;
    over = problem;
    for (const stream of open) stream.destroy(fail('tunnel-closed', { problem }));
    socket.destroy();
  };
  const stopWatching = watchForSilence(socket, silentAfter, () => end(`the node was silent for ${silentAfter / 1000} s`));
  // Before the listeners of HTTP/2: its streams end as if all had been said when it hears of the end first.
  socket.once('error', (error) => end(error.message));
  socket.once('close', () => {
    end('the node closed the connection');
    stopWatching();
    closed.resolve(over ?? 'it ended');
  });
  if (socket instanceof TLSSocket) socket.setTimeout(0);
  const session = connect('https://node', { ...sessionOptions(socket), createConnection: () => socket });
  fitWindows(session, socket);
  session.on('error', (error) => end(problemOf(error)));
  session.once('goaway', () => end('the node ended it'));

  return {
    connect: async (target, { signal } = {}) => {
      signal?.throwIfAborted();
      if (over !== undefined) throw fail('tunnel-closed', { problem: over });
      return openStream({ session, open, target, signal });
    },
    ask: async (path, { body, signal } = {}) => {
      if (over !== undefined) throw fail('tunnel-closed', { problem: over });
      return ask(session, { path, body, signal });
    },
    closed: closed.promise,
    close: () => end('this side closed it'),
  };
}

/** The node pings; whatever else arrives is as good a sign. */
function watchForSilence(socket: Carrier, silentAfter: number, onSilent: () => void): () => void {
  const looks = 4;
  let bytes = socket.bytesRead;
  let unchanged = 0;
  const timer = setInterval(() => {
    unchanged = socket.bytesRead === bytes ? unchanged + 1 : 0;
    bytes = socket.bytesRead;
    if (unchanged >= looks) onSilent();
  }, silentAfter / looks);
  return () => clearInterval(timer);
}
