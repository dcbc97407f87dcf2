/** For tests: asks the egress socket for a connection as kube-apiserver does (k8s.io/apiserver pkg/server/egressselector tunnelHTTPConnect). */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Resolves with the connection; throws in the API server's words. */
export async function connectThrough(path: string, target: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const chunk: unknown = socket.read();
    if (chunk !== null) head += String(chunk);
    else if (socket.readableEnded || socket.destroyed) throw new Error(`reading HTTP response from CONNECT to ${target} failed`);
    else await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
  }
  const [, status, rest] = /^HTTP\/1\.1 (\d{3} [^\r\n]*)\r\n(?:[^\r\n]+\r\n)*\r\n(.*)$/s.exec(head) ?? [];
  if (status?.startsWith('200')) {
    if (rest !== '') throw new Error(`unexpected ${rest?.length} bytes of buffered data from CONNECT proxy`);
    return socket;
  }
  socket.destroy();
  throw new Error(`proxy error while dialing ${target}, code ${status}`);
}
