// Ranges of addresses of both families as numbers.
import { ipToBytes } from '@rfo/pki';

export type Bounds = { readonly family: 4 | 6; readonly first: bigint; readonly last: bigint };

/** The first and last address of `192.0.2.0/24`, `192.0.2.10-192.0.2.50` or a single address; of texts that have passed their own check. */
export function boundsOf(block: string): Bounds {
  const [start = '', stop] = block.split('-').map((part) => part.trim());
  const [address = '', prefix] = start.split('/');
  const first = numberOf(address);
  const family = address.includes(':') ? 6 : 4;
  if (prefix === undefined) return { family, first, last: stop === undefined ? first : numberOf(stop) };
  const size = 1n << BigInt((family === 6 ? 128 : 32) - Number(prefix));
  const begin = (first / size) * size;
  return { family, first: begin, last: begin + size - 1n };
}

export function overlap(one: Bounds, other: Bounds): boolean {
  return one.family === other.family && one.first <= other.last && other.first <= one.last;
}

function numberOf(address: string): bigint {
  return BigInt(`0x${(ipToBytes(address) ?? Buffer.alloc(1)).toString('hex')}`);
}
