/** Connections of the scanners. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsWish } from '../outbound/outbound.ts';
import type { Target } from './types.ts';

/** A host that does not answer in this time is not fit for use. */
const timeout = 5000;

export function dial({ outbound, at, signal }: Target): Promise<Socket> {
  return outbound.connect(at, { signal, timeout });
}

/** Shakes hands by the given wish, gives what `look` sees, and hangs up. `address` replaces that of the target. */
export async function handshake<T>(
  { outbound, at, host, signal }: Target,
  { address = at.host, ...wish }: TlsWish & { readonly address?: string },
  look: (socket: TLSSocket) => T | Promise<T>,
): Promise<T> {
  const socket = await outbound.connectTls({ host: address, port: at.port }, { signal, timeout }, { name: host, ...wish });
  try {
    return await look(socket);
  } finally {
    socket.destroy();
  }
}
