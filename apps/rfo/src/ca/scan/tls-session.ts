/** Whether a host takes a session up again, which spares both sides a handshake. */
import type { TLSSocket } from 'node:tls';
import { handshake } from './dial.ts';
import type { Family, Finding, Target } from './types.ts';

export const tlsSession: Family = {
  description: 'Whether the host takes TLS sessions up again',
  scanners: { SessionResume: { description: 'A session of the host is taken up again on all of its addresses', scan: resume } },
};

/** A server sends its ticket right after the handshake, if ever. */
const patience = 1000;

async function resume(target: Target): Promise<Finding> {
  const session = await handshake(target, {}, firstTicket);
  if (session === undefined) return { grade: 'Warning', error: 'the host gives no session ticket' };
  const resumed: Record<string, boolean> = {};
  for (const address of await target.outbound.resolve(target.at.host, target.signal))
    resumed[address] = await handshake(target, { address, session }, (socket) => socket.isSessionReused());
  return { grade: Object.values(resumed).every(Boolean) ? 'Good' : 'Warning', output: resumed };
}

async function firstTicket(socket: TLSSocket): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const timer = setTimeout(() => resolve(undefined), patience);
  socket.once('session', resolve).once('close', () => resolve(undefined));
  // Tickets are read only when somebody reads.
  socket.resume();
  const given = socket.getSession();
  if (socket.getProtocol() !== 'TLSv1.3' && given !== undefined && given.length > 0) resolve(given);
  const session = await promise;
  clearTimeout(timer);
  return session;
}
