/** A connection of this process with itself. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Milliseconds; nothing but a full table of connections keeps a host from reaching itself. */
const within = 5000;

/**
 * Two sockets that the kernel joins. HTTP/2 in Node is made for those: on any other stream a connection that ends amid several requests ends the whole
 * process by an assertion. Nobody else gets in between: the ends know each other by their ports.
 */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const signal = AbortSignal.timeout(within);
  const server = await listenOnLoopback(signal);
  const { address: host, port } = server.address() as AddressInfo;
  const far = connect({ host, port, noDelay: true });
  try {
    const near = accepted(server, far, signal);
    await Promise.all([once(far, 'connect', { signal }), near]);
    return [await near, far];
  } catch (error) {
    far.destroy();
    throw error;
  } finally {
    server.close();
  }
}

async function listenOnLoopback(signal: AbortSignal): Promise<Server> {
  const listen = async (host: string): Promise<Server> => {
    const server = createServer({ noDelay: true });
    await once(server.listen({ host, port: 0, backlog: 16 }), 'listening', { signal });
    return server;
  };
  // Hosts without IPv4 are rare, and still hosts.
  return listen('127.0.0.1').catch(() => listen('::1'));
}

function accepted(server: Server, far: Socket, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const waiting: Socket[] = [];
    const look = (): void => {
      if (far.localPort === undefined || far.connecting) return;
      for (const socket of waiting.splice(0)) {
        if (socket.remotePort === far.localPort && socket.remoteAddress === far.localAddress) resolve(socket);
        else socket.destroy();
      }
    };
    const abort = (): void => {
      for (const socket of waiting) socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    far.once('error', reject).once('connect', look);
    server.on('connection', (socket) => {
      waiting.push(socket);
      look();
    });
  });
}
