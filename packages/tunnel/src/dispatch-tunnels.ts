import type { Server, TLSSocket } from 'node:tls';
import { tunnelProtocol } from './protocol.ts';

/**
 * Gives the connections on which ALPN chose `tunnelProtocol` to `take`, before an HTTPS server writes to them: it puts itself in front of the listeners
 * that the server has. `take` may see one that breaks, but need not listen for its error.
 */
export function dispatchTunnels(server: Server, take: (socket: TLSSocket) => void): void {
  const own = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol !== tunnelProtocol) {
      for (const listener of own) listener.call(server, socket);
      return;
    }
    // A connection may break before whoever takes it listens.
    socket.on('error', () => undefined);
    take(socket);
  });
}
