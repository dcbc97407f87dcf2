/**
 * Writes DER, the binary form of X.509 (ITU-T X.690): each function gives the bytes of one whole value, tag and length included.
 * Every value is allocated once at its final size: a CA writes a hundred of them for each certificate.
 */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value: its tag byte, its length, its content. */
export function tagged(tag: number, content: Uint8Array): Buffer {
  const size = content.length;
  const value = Buffer.allocUnsafe(headerSize(size) + size);
  value.set(content, writeHeader(value, tag, size));
  return value;
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return joined(tags.sequence, items);
}

/** The same of any number of values: what comes from outside may be more than a call has room for. */
export function sequenceOf(items: readonly Uint8Array[]): Buffer {
  return joined(tags.sequence, items);
}

/** DER wants the members of a set in ascending order of their bytes. */
export function set(...items: readonly Uint8Array[]): Buffer {
  return setOf(items);
}

/** The same of any number of values. */
export function setOf(items: readonly Uint8Array[]): Buffer {
  return joined(tags.set, items.length < 2 ? items : items.toSorted(Buffer.compare));
}

/** `[number]` of a structure, explicit or implicit by what `content` is; constructed unless it holds a bare value. */
export function context(number: number, content: Uint8Array, form: 'constructed' | 'primitive' = 'constructed'): Buffer {
  return tagged((form === 'constructed' ? 0xa0 : 0x80) | number, content);
}

/** A number that is not negative, or its big-endian bytes. */
export function unsigned(value: number | bigint | Uint8Array): Buffer {
  const bytes = value instanceof Uint8Array ? value : Buffer.from(evenHex(value.toString(16)), 'hex');
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const size = bytes.length - start;
  return prefixed(tags.integer, (bytes[start] ?? 0) >= 0x80 || size === 0 ? 0 : undefined, start === 0 ? bytes : bytes.subarray(start));
}

export function boolean(value: boolean): Buffer {
  return Buffer.from(value ? yes : no);
}

export function nothing(): Buffer {
  return Buffer.from(none);
}

export function octetString(content: Uint8Array): Buffer {
  return tagged(tags.octetString, content);
}

/** @param unused how many low bits of the last byte do not count */
export function bitString(content: Uint8Array, unused = 0): Buffer {
  return prefixed(tags.bitString, unused, content);
}

/** The object identifier written as `2.5.4.3`. Throws RangeError for what is none. */
export function oid(dotted: string): Buffer {
  if (!isOid(dotted)) throw new RangeError(`"${dotted}" is no object identifier`);
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  pushBase128(bytes, first * 40 + second);
  for (const number of rest) pushBase128(bytes, number);
  return tagged(tags.oid, Uint8Array.from(bytes));
}

/** Whether the text is an object identifier that can be written: `1.2.840`, numbers below 2^53. */
export function isOid(text: string): boolean {
  if (!/^([01]\.[123]?\d|2\.(0|[1-9]\d{0,14}))(\.(0|[1-9]\d{0,14}))*$/.test(text)) return false;
  return text.length <= 256;
}

export function utf8String(text: string): Buffer {
  return tagged(tags.utf8String, Buffer.from(text, 'utf8'));
}

export function printableString(text: string): Buffer {
  return tagged(tags.printableString, Buffer.from(text, 'latin1'));
}

/** RFC 5280 §4.1.2.5: UTCTime for the years 1950 to 2049, GeneralizedTime for all others; whole seconds. Throws RangeError beyond the year 9999. */
export function time(milliseconds: number): Buffer {
  const iso = new Date(milliseconds).toISOString();
  if (iso.length !== 24) throw new RangeError(`${iso} has no year of four digits`);
  const year = iso.slice(0, 4);
  const rest = `${iso.slice(5, 7)}${iso.slice(8, 10)}${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
  if (year >= '1950' && year <= '2049') return tagged(tags.utcTime, Buffer.from(year.slice(2) + rest, 'latin1'));
  return tagged(tags.generalizedTime, Buffer.from(year + rest, 'latin1'));
}

const yes = Uint8Array.of(tags.boolean, 1, 0xff);
const no = Uint8Array.of(tags.boolean, 1, 0x00);
const none = Uint8Array.of(tags.null, 0);

function joined(tag: number, items: readonly Uint8Array[]): Buffer {
  let size = 0;
  for (const item of items) size += item.length;
  const value = Buffer.allocUnsafe(headerSize(size) + size);
  let at = writeHeader(value, tag, size);
  for (const item of items) {
    value.set(item, at);
    at += item.length;
  }
  return value;
}

/** A value whose content starts with one more byte. */
function prefixed(tag: number, first: number | undefined, content: Uint8Array): Buffer {
  const size = content.length + (first === undefined ? 0 : 1);
  const value = Buffer.allocUnsafe(headerSize(size) + size);
  let at = writeHeader(value, tag, size);
  if (first !== undefined) value[at++] = first;
  value.set(content, at);
  return value;
}

function headerSize(size: number): number {
  if (size < 0x80) return 2;
  if (size < 0x100) return 3;
  if (size < 0x10000) return 4;
  return size < 0x1000000 ? 5 : 6;
}

/** Writes tag and length at the start; gives where the content begins. */
function writeHeader(value: Uint8Array, tag: number, size: number): number {
  value[0] = tag;
  const end = headerSize(size);
  if (end === 2) {
    value[1] = size;
    return end;
  }
  value[1] = 0x80 | (end - 2);
  for (let at = end - 1, rest = size; at > 1; at--, rest >>>= 8) value[at] = rest & 0xff;
  return end;
}

function pushBase128(bytes: number[], number: number): void {
  let high = 1;
  while (high * 128 <= number) high *= 128;
  for (; high >= 1; high /= 128) bytes.push((Math.floor(number / high) % 128) | (high > 1 ? 0x80 : 0));
}

function evenHex(hex: string): string {
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
