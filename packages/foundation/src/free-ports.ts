import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * TCP ports of 127.0.0.1 that nobody uses, all different: for programs that must be told their port, in tests and benchmarks.
 * Another program may take one before it is used; who can should listen on port 0 instead.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
