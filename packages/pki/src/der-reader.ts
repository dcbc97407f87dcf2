/**
 * Reads DER without trust: every length is checked against what is there, and the forms DER forbids are refused.
 * A reader walks over the values of one structure in order.
 */
import { isUtf8 } from 'node:buffer';
import { tags } from './der.ts';

/** What is wrong with bytes that should be DER; the caller says of what. */
export class DerError extends Error {}

/** One value: `raw` is all of it, `content` without tag and length. Both are views of the bytes that are read. */
export type DerValue = { readonly tag: number; readonly content: Buffer; readonly raw: Buffer };

export class DerReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Where the content of the value that was read last begins. */
  #content = 0;
  /** @param from where in the bytes to begin; `to` is where they end */
  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.#bytes = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = from;
    this.#end = to;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Tag of the next value, undefined at the end. */
  get tag(): number | undefined {
    return this.done ? undefined : this.#bytes[this.#at];
  }

  /** The next value; with `expected`, only a value of that tag will do. */
  next(expected?: number): DerValue {
    const start = this.#at;
    const tag = this.#step(expected);
    return new Value(tag, this.#bytes, { start, content: this.#content, end: this.#at });
  }

  /** The next value when it has this tag, else undefined and nothing is consumed. */
  optional(tag: number): DerValue | undefined {
    return this.tag === tag ? this.next(tag) : undefined;
  }

  /** A reader of what the next sequence (or the value with the given tag) holds. */
  enter(tag: number = tags.sequence): DerReader {
    this.#step(tag);
    return new DerReader(this.#bytes, this.#content, this.#at);
  }

  /** Throws when something follows. */
  end(): void {
    if (!this.done) throw new DerError('bytes after the end');
  }

  #step(expected: number | undefined): number {
    const tag = this.#byte();
    if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes');
    if (expected !== undefined && tag !== expected) throw new DerError(`tag ${tag} where ${expected} belongs`);
    const size = this.#length();
    this.#content = this.#at;
    if (size > this.#end - this.#at) throw new DerError('a length beyond the end');
    this.#at += size;
    return tag;
  }

  #byte(): number {
    const byte = this.done ? undefined : this.#bytes[this.#at++];
    if (byte === undefined) throw new DerError('the end comes too early');
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('a length that DER forbids');
    let size = 0;
    for (let index = 0; index < count; index++) size = size * 256 + this.#byte();
    if (size < 0x80 || size < 256 ** (count - 1)) throw new DerError('a length that is not minimal');
    return size;
  }
}

type Span = { readonly start: number; readonly content: number; readonly end: number };

/** Makes its views when they are asked for: most values are only passed over or looked at once. */
class Value implements DerValue {
  readonly tag: number;
  readonly #bytes: Buffer;
  readonly #span: Span;
  constructor(tag: number, bytes: Buffer, span: Span) {
    this.tag = tag;
    this.#bytes = bytes;
    this.#span = span;
  }
  get content(): Buffer {
    return this.#bytes.subarray(this.#span.content, this.#span.end);
  }
  get raw(): Buffer {
    return this.#bytes.subarray(this.#span.start, this.#span.end);
  }
}

/** Reads one value that fills the bytes entirely. */
export function readWhole(bytes: Uint8Array, tag: number = tags.sequence): DerReader {
  const reader = new DerReader(bytes);
  const inner = reader.enter(tag);
  reader.end();
  return inner;
}

export function readOid(value: DerValue): string {
  const numbers: number[] = [];
  let number = 0;
  let pending = true;
  for (const byte of value.content) {
    number = number * 128 + (byte & 0x7f);
    if (number > Number.MAX_SAFE_INTEGER) throw new DerError('an object identifier out of range');
    pending = byte >= 0x80;
    if (pending) continue;
    numbers.push(number);
    number = 0;
  }
  const head = numbers[0];
  if (head === undefined || pending) throw new DerError('an object identifier cut short');
  const first = Math.min(2, Math.floor(head / 40));
  numbers[0] = head - first * 40;
  return `${first}.${numbers.join('.')}`;
}

/** Any of the text types a name may use. */
export function readText(value: DerValue): string {
  const { tag, content } = value;
  if (tag === tags.utf8String) {
    if (!isUtf8(content)) throw new DerError('text that is not UTF-8');
    return content.toString('utf8');
  }
  if (oneByteTexts.has(tag)) return content.toString('latin1');
  if (tag === tags.bmpString && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le');
  throw new DerError(`text of an unknown type (tag ${tag})`);
}

const oneByteTexts: ReadonlySet<number> = new Set([
  tags.printableString,
  tags.ia5String,
  tags.teletexString,
  tags.numericString,
  tags.visibleString,
]);

/** Milliseconds since 1970 of a UTCTime or GeneralizedTime in the forms RFC 5280 allows. */
export function readTime(value: DerValue): number {
  const text = value.content.toString('latin1');
  const short = value.tag === tags.utcTime;
  if (!short && value.tag !== tags.generalizedTime) throw new DerError(`a time of an unknown type (tag ${value.tag})`);
  if (!(short ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) throw new DerError(`"${text}" is no time`);
  const digits = short ? `${text < '50' ? '20' : '19'}${text}` : text;
  const iso = digits.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const milliseconds = Date.parse(iso);
  if (Number.isNaN(milliseconds)) throw new DerError(`"${text}" is no time`);
  return milliseconds;
}

/** An integer or enumerated value that is not negative. */
export function readUnsigned(value: DerValue): bigint {
  const { tag, content } = value;
  if (tag !== tags.integer && tag !== tags.enumerated) throw new DerError(`tag ${tag} where a number belongs`);
  if (content.length === 0 || (content[0] ?? 0) >= 0x80) throw new DerError('a number that is not positive');
  if (content.length > 1 && content[0] === 0 && (content[1] ?? 0) < 0x80) throw new DerError('a number that is not minimal');
  return BigInt(`0x${content.toString('hex')}`);
}

/** The bytes of a bit string that is a whole number of bytes (keys, signatures). */
export function readBits(value: DerValue): Buffer {
  if (value.tag !== tags.bitString || value.content[0] !== 0) throw new DerError('a bit string of odd length');
  return value.content.subarray(1);
}
