/** What streams of the benchmark lead to, in the node's process or behind a TCP port. */
import { Duplex, PassThrough } from 'node:stream';

const chunk = Buffer.alloc(64 * 1024);

export const services = ['source', 'sink', 'echo'] as const;
export type Service = (typeof services)[number];

/** `source` sends without end, `sink` takes everything, `echo` gives back. */
export function openService(service: Service): Duplex {
  if (service === 'echo') return new PassThrough();
  return new Duplex({
    read() {
      if (service === 'source') this.push(chunk);
    },
    write: (_chunk, _encoding, done) => done(),
  });
}
