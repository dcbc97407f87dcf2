/**
 * What two Nodes on the way add at the least: one that reads a request and sends it on over TLS, and one that passes the bytes of that on. They look at
 * nothing, refuse nothing and tell nobody.
 */
import { once } from 'node:events';
import { Agent, createServer as createHttpsServer, request } from 'node:https';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { serveLoads } from '../load-process.ts';

export type Hop =
  /** @param port of the next hop, whose certificate is of `ca` */
  | { readonly role: 'reader'; readonly cert: string; readonly key: string; readonly port: number; readonly ca: string }
  | { readonly role: 'relay'; readonly port: number };

/** Tells its port. */
serveLoads(async (hop: Hop): Promise<number> => {
  const server = hop.role === 'reader' ? read(hop) : relay(hop);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
});

function read({ cert, key, port, ca }: Hop & { readonly role: 'reader' }): Server {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256, ca });
  return createHttpsServer({ cert, key, noDelay: true }, ({ method, url, headers }, response) => {
    const onward = request({ agent, host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy()).end();
  });
}

function relay({ port }: Hop & { readonly role: 'relay' }): Server {
  return createServer({ noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
}
