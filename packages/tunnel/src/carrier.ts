/** What a tunnel runs on: a TLS connection, or a WebSocket within one. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';
import { socketPair } from './socket-pair.ts';

/** A connection that counts what it was sent. */
export type Carrier = Socket;

/** Settings of both ends. What a tunnel carries is encrypted: there is nothing to compress. One message is one write of HTTP/2. */
export const websocketOptions = { perMessageDeflate: false, maxPayload: 8 * 1024 * 1024 } as const;

/** Bytes that wait at most on each side of the WebSocket. */
const highWaterMark = 256 * 1024;

/** The bytes of a WebSocket as a stream, which keeps what comes until it is read. To be made before the first message can arrive. */
export function streamOf(websocket: WebSocket): Duplex {
  const stream = createWebSocketStream(websocket, { highWaterMark });
  // Every failure ends in `close`.
  stream.on('error', () => undefined);
  return stream;
}

/** What a tunnel can run on for such a stream. It sends no faster than the connection below takes, and reads no faster than it is read. */
export async function carrierOf(stream: Duplex): Promise<Carrier> {
  const [near, far] = await socketPair();
  far.on('error', () => undefined);
  stream.pipe(far).pipe(stream);
  // There is no half of a WebSocket: what ends, ends as a whole.
  stream.once('end', () => far.destroySoon()).once('close', () => far.destroy());
  far.once('close', () => stream.destroy());
  if (stream.destroyed) far.destroy();
  return near;
}
