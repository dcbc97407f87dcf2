/** IP addresses as the bytes a certificate holds, and back in their one canonical spelling. */

/**
 * 4 or 16 bytes of the address, undefined when the text is none. A zone (`%eth0`) has no place in a certificate.
 * Not by node:net, whose pattern for version 6 costs each start 6 ms to compile.
 */
export function ipToBytes(text: string): Buffer | undefined {
  if (!text.includes(':')) return fourBytes(text);
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [left, right] = halves.map((half, index) => (half === '' ? [] : groups(half, index === halves.length - 1)));
  if (left === undefined || (halves.length === 2 && right === undefined)) return undefined;
  const missing = 16 - left.length - (right?.length ?? 0);
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return Buffer.from([...left, ...Array.from({ length: missing }, () => 0), ...(right ?? [])]);
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

function fourBytes(text: string): Buffer | undefined {
  const parts = text.split('.');
  const valid = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return valid ? Buffer.from(parts.map(Number)) : undefined;
}

/** Bytes of `fd00:43:a` or, at the end of an address, of `ffff:10.0.0.1`; undefined when a group is none. */
function groups(half: string, last: boolean): number[] | undefined {
  const parts = half.split(':');
  const bytes: number[] = [];
  for (const [index, part] of parts.entries()) {
    const dotted = last && index === parts.length - 1 && part.includes('.') ? fourBytes(part) : undefined;
    if (dotted === undefined && !/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    const word = Number.parseInt(part, 16);
    bytes.push(...(dotted ?? [word >> 8, word & 0xff]));
  }
  return bytes;
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
