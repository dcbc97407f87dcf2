/** Makes a WebSocket of a TLS connection whose other end, a layer-7 hop, speaks HTTP/1.1 alone. */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { type Carrier, carrierOf, streamOf, websocketOptions } from './carrier.ts';
import { formatTarget, type Target, tunnelProtocol } from './protocol.ts';
import { UpgradeRefused } from './upgrade-refused.ts';

/** Bytes of a refusal that are read. */
const longestRefusal = 2048;

/**
 * Gives what carries the tunnel. Rejects with UpgradeRefused, with what is wrong, or with the signal's reason; the connection is closed then.
 */
export function upgrade(
  socket: TLSSocket,
  options: {
    readonly server: Target;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<Carrier> {
  const { server, path, headers, signal } = options;
  const websocket = new WebSocket(`wss://${formatTarget(server)}${path}`, tunnelProtocol, {
    ...websocketOptions,
    headers,
    // A key of zeros leaves the bytes as they are. Keys that cannot be guessed keep who chooses what is sent from writing something that a proxy takes for a
    // request (RFC 6455 §10.3): proxies on the way see TLS, and in it are the frames of HTTP/2, whose contents are encrypted again.
    generateMask: (key) => void key.fill(0),
    createConnection: () => socket,
  });
  // Before `open`: what the other end says first would be lost.
  const stream = streamOf(websocket);
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      signal.removeEventListener('abort', abort);
      then();
    };
    const failed = (error: unknown): void => {
      settle(() => reject(error));
      stream.destroy();
      socket.destroy();
    };
    const abort = (): void => failed(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    websocket.once('error', failed);
    websocket.once('unexpected-response', (_, response) => void readRefusal(response).then(failed, failed));
    websocket.once('open', () => settle(() => resolve(carrierOf(stream))));
    if (signal.aborted) abort();
  });
}

async function readRefusal(response: IncomingMessage): Promise<UpgradeRefused> {
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > longestRefusal) break;
  }
  return new UpgradeRefused(response.statusCode ?? 0, text.slice(0, longestRefusal).trim());
}
