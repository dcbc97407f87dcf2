/** Asks the cluster's DNS until it answers. */
import { createSocket, type Socket } from 'node:dgram';
import { pause } from './probe.ts';

const name = 'kubernetes.default.svc.cluster.local';

/**
 * Sends a query every 20 ms until one is answered with an address. Each from a socket of its own: a connection that the kernel has
 * tracked to nowhere would stay there after the Service has begun to work.
 */
export async function untilDnsAnswers(server: string): Promise<void> {
  let answered = false;
  const open = new Set<Socket>();
  for (let id = 1; !answered; id = (id % 0xffff) + 1) {
    const socket = createSocket('udp4');
    open.add(socket);
    const asked = id;
    socket.on('message', (message) => {
      answered ||= isAnswer(message, asked);
    });
    // A refusal: no endpoint yet.
    socket.on('error', () => undefined);
    socket.send(encodeQuery(asked, name), 53, server, () => undefined);
    setTimeout(() => close(socket, open), 1000).unref();
    await pause();
  }
  for (const socket of open) close(socket, open);
}

/** A question for the IPv4 address of a name. Format: RFC 1035, 4.1. */
export function encodeQuery(id: number, domain: string): Buffer {
  const header = Buffer.from([id >> 8, id & 0xff, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = domain.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'ascii')]));
  // The root, type A, class IN.
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

/** Whether a message answers the question `id` without an error and with at least one record. */
export function isAnswer(message: Uint8Array, id: number): boolean {
  const [high = 0, low = 0, flags = 0, code = 0, , , answersHigh = 0, answersLow = 0] = message;
  return high === id >> 8 && low === (id & 0xff) && (flags & 0x80) !== 0 && (code & 0x0f) === 0 && answersHigh * 256 + answersLow > 0;
}

function close(socket: Socket, open: Set<Socket>): void {
  if (open.delete(socket)) socket.close();
}
