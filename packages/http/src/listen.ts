import type { Server, Socket } from 'node:net';
import { fail, systemCode } from '@rfo/foundation';

/**
 * Listens; gives the port, which is any free one for port 0.
 * @throws port-taken, and what the system says to an address that is none of this host's
 */
export function listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      const taken = systemCode(error) === 'EADDRINUSE';
      reject(taken ? fail('port-taken', { port: at.port, holder: 'another process' }, error) : error);
    };
    server.once('error', onError);
    server.listen(at.port, at.host, () => {
      server.off('error', onError);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : at.port);
    });
  });
}

/** All connections, also those whose handshake goes on and those that became something else: an HTTP server knows only of its own. */
export function openConnections(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}
