/** IP addresses as the bytes a certificate holds, and back in their one canonical spelling. */
import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 bytes of the address, undefined when the text is none. A zone (`%eth0`) has no place in a certificate. */
export function ipToBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = withoutDots(text).split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  const all = [...left, ...zeros, ...right];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Canonical text (RFC 5952) of 4 or 16 bytes, undefined for any other number of bytes. */
export function bytesToIp(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  const words = Array.from({ length: 8 }, (_, index) => (bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0));
  const { start, size } = longestZeros(words);
  const text = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  return size < 2 ? text(words) : `${text(words.slice(0, start))}::${text(words.slice(start + size))}`;
}

/** The canonical spelling of an address, undefined when the text is none: two spellings of one address become equal. */
export function canonicalIp(text: string): string | undefined {
  const bytes = ipToBytes(text);
  return bytes && bytesToIp(bytes);
}

function groups(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

/** `::ffff:10.0.0.1` with its last four bytes as two groups. */
function withoutDots(text: string): string {
  return text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => `${hexPair(a, b)}:${hexPair(c, d)}`);
}

function hexPair(high: string, low: string): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}

function longestZeros(words: readonly number[]): { start: number; size: number } {
  let best = { start: 0, size: 0 };
  for (let start = 0; start < words.length; start++) {
    let size = 0;
    while (words[start + size] === 0) size++;
    if (size > best.size) best = { start, size };
  }
  return best;
}
