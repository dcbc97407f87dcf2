/** Writes DER, the binary form of X.509 (ITU-T X.690): each function gives the bytes of one whole value, tag and length included. */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value: its tag byte, its length, its content. */
export function tagged(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return tagged(tags.sequence, Buffer.concat(items));
}

/** DER wants the members of a set in ascending order of their bytes. */
export function set(...items: readonly Uint8Array[]): Buffer {
  return tagged(tags.set, Buffer.concat(items.toSorted(Buffer.compare)));
}

/** `[number]` of a structure, explicit or implicit by what `content` is; constructed unless it holds a bare value. */
export function context(number: number, content: Uint8Array, form: 'constructed' | 'primitive' = 'constructed'): Buffer {
  return tagged((form === 'constructed' ? 0xa0 : 0x80) | number, content);
}

/** A number that is not negative, from a small number or from its big-endian bytes. */
export function unsigned(value: number | Uint8Array): Buffer {
  const bytes = typeof value === 'number' ? Buffer.from(evenHex(value.toString(16)), 'hex') : Buffer.from(value);
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const minimal = bytes.subarray(start);
  const first = minimal[0] ?? 0;
  return tagged(tags.integer, first >= 0x80 ? Buffer.concat([Buffer.from([0]), minimal]) : minimal);
}

export function boolean(value: boolean): Buffer {
  return tagged(tags.boolean, Buffer.from([value ? 0xff : 0x00]));
}

export function nothing(): Buffer {
  return tagged(tags.null, Buffer.alloc(0));
}

export function octetString(content: Uint8Array): Buffer {
  return tagged(tags.octetString, content);
}

/** @param unused how many low bits of the last byte do not count */
export function bitString(content: Uint8Array, unused = 0): Buffer {
  return tagged(tags.bitString, Buffer.concat([Buffer.from([unused]), content]));
}

/** The object identifier written as `2.5.4.3`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(tags.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

export function utf8String(text: string): Buffer {
  return tagged(tags.utf8String, Buffer.from(text, 'utf8'));
}

export function printableString(text: string): Buffer {
  return tagged(tags.printableString, Buffer.from(text, 'latin1'));
}

/** RFC 5280 §4.1.2.5: UTCTime for the years 1950 to 2049, GeneralizedTime for all others; whole seconds. */
export function time(milliseconds: number): Buffer {
  const stamp = `${new Date(milliseconds).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  const year = Number(stamp.slice(0, 4));
  if (year >= 1950 && year <= 2049) return tagged(tags.utcTime, Buffer.from(stamp.slice(2), 'latin1'));
  return tagged(tags.generalizedTime, Buffer.from(stamp, 'latin1'));
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const bytes = Buffer.from(evenHex(size.toString(16)), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

function base128(number: number): number[] {
  const bytes = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

function evenHex(hex: string): string {
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
