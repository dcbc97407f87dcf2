// Arithmetic on IPv4 addresses and ranges, as unsigned 32-bit numbers.

export type Range = { readonly first: number; readonly last: number; readonly prefix: number };

/** The address as a number, or undefined for anything but four plain decimal parts. */
export function parseAddress(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1);
  if (parts === undefined || parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The range that a text such as `10.42.0.0/16` names, any host bits cleared; undefined when it is none. */
export function parseRange(text: string): Range | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  const number = parseAddress(address);
  const prefix = Number(length);
  if (number === undefined || more.length > 0 || !/^\d{1,2}$/.test(length) || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1, prefix };
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

export function formatRange(range: Range): string {
  return `${formatAddress(range.first)}/${range.prefix}`;
}

export function overlaps(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

export function contains(range: Range, address: number): boolean {
  return range.first <= address && address <= range.last;
}

/**
 * The n-th address of a range.
 * @throws RangeError when the text is no range or the range has no such address; checked configuration has both
 */
export function addressOf(range: string, n: number): string {
  const parsed = parseRange(range);
  if (parsed === undefined || parsed.first + n > parsed.last) throw new RangeError(`${range} has no address ${n}`);
  return formatAddress(parsed.first + n);
}
