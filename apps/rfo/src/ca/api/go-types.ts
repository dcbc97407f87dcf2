/** Go's types as a JSON text is read into them: which keys count, what a wrong type is called, what null and doubles do. */
import { CfsslError } from '../cfssl-error.ts';
import { decodeGoBase64 } from './go-base64.ts';
import { GoJsonError, GoNumber, GoObject, type GoValue, parseGoJson } from './go-json.ts';

/** @param before what stands there already: null leaves most types as they are */
export type GoType<T> = {
  /** As Go prints it. */
  readonly name: string;
  readonly zero: T;
  readonly read: (value: GoValue, reading: Reading, before: T) => T;
};
/** What a type is read to. */
export type GoOf<Type> = Type extends GoType<infer T> ? T : never;

/** Where the reading is. The first wrong type is kept and the rest is read on, as Go does. */
export type Reading = { problem: string | undefined; struct: string; path: readonly string[] };

/**
 * Reads a JSON text as Go's json.Unmarshal does. @throws GoJsonError
 */
export function readGo<T>(bytes: Uint8Array, type: GoType<T>): T {
  const reading: Reading = { problem: undefined, struct: '', path: [] };
  const value = type.read(parseGoJson(bytes), reading, type.zero);
  if (reading.problem !== undefined) throw new GoJsonError(reading.problem);
  return value;
}

/**
 * The same for the body of a request.
 * @param text what the client is told instead of Go's words
 * @throws CfsslError 400
 */
export function readRequest<T>(body: Uint8Array, type: GoType<T>, text?: string): T {
  try {
    return readGo(body, type);
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    throw new CfsslError(400, text ?? error.message);
  }
}

export const goString: GoType<string> = {
  name: 'string',
  zero: '',
  read: (value, reading, before) => (typeof value === 'string' ? value : mismatch(value, reading, { type: goString, before })),
};

export const goBool: GoType<boolean> = {
  name: 'bool',
  zero: false,
  read: (value, reading, before) => (typeof value === 'boolean' ? value : mismatch(value, reading, { type: goBool, before })),
};

export const goInt: GoType<number> = wholeNumber('int');
export const goInt64: GoType<number> = wholeNumber('int64');

/** A whole number of any size; undefined when there is none. */
export const goBigInt: GoType<bigint | undefined> = {
  name: 'big.Int',
  zero: undefined,
  read: (value, reading) => {
    if (value === null) return undefined;
    if (value instanceof GoNumber && /^-?\d+$/.test(value.text)) return BigInt(value.text);
    reading.problem ??= 'math/big: cannot unmarshal into a *big.Int';
    return undefined;
  },
};

/** Bytes, in base64 in the text; null when there are none. */
export const goBytes: GoType<Buffer | null> = {
  name: '[]uint8',
  zero: null,
  read: (value, reading, before) => {
    if (value === null) return null;
    if (typeof value !== 'string') return mismatch(value, reading, { type: goBytes, before });
    const decoded = decodeGoBase64(value);
    if (Buffer.isBuffer(decoded)) return decoded;
    reading.problem ??= `illegal base64 data at input byte ${decoded}`;
    return before;
  },
};

/** Milliseconds since 1970; undefined is Go's zero time, 0001-01-01. */
export const goTime: GoType<number | undefined> = {
  name: 'time.Time',
  zero: undefined,
  read: (value, reading, before) => {
    if (value === null) return before;
    const at = typeof value === 'string' && rfc3339.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(at)) reading.problem ??= 'Time.UnmarshalJSON: input is not a JSON string of RFC 3339';
    return Number.isNaN(at) || at === zeroTime ? undefined : at;
  },
};

/** Anything, as JSON.parse would give it. */
export const goAny: GoType<unknown> = { name: 'interface {}', zero: null, read: plainValue };

/** null and an empty list are two things: `hosts` says different things with them. */
export function goSlice<T>(element: GoType<T>): GoType<readonly T[] | null> {
  const type: GoType<readonly T[] | null> = {
    name: `[]${element.name}`,
    zero: null,
    read: (value, reading, before) => {
      if (value === null) return null;
      if (!isList(value)) return mismatch(value, reading, { type, before });
      return value.map((each) => element.read(each, reading, element.zero));
    },
  };
  return type;
}

/** What may be left out, or be null. */
export function goPointer<T>(to: GoType<T>): GoType<T | undefined> {
  return {
    name: to.name,
    zero: undefined,
    read: (value, reading, before) => (value === null ? undefined : to.read(value, reading, before ?? to.zero)),
  };
}

/** Here, other than in a struct, keys count as they are written. */
export function goMap<T>(element: GoType<T>): GoType<ReadonlyMap<string, T>> {
  const type: GoType<ReadonlyMap<string, T>> = {
    name: `map[string]${element.name}`,
    zero: new Map(),
    read: (value, reading, before) => {
      if (!(value instanceof GoObject)) return mismatch(value, reading, { type, before });
      const map = new Map(before);
      for (const [key, each] of value.members) map.set(key, element.read(each, reading, element.zero));
      return map;
    },
  };
  return type;
}

/**
 * An object: keys are taken in whatever case, unknown ones are left out, of doubles the last counts.
 * @param name with its package: `info.Req`
 */
export function goStruct<Struct extends object>(
  name: string,
  fields: { readonly [Key in keyof Struct]: GoType<Struct[Key]> },
): GoType<Readonly<Struct>> {
  const known = Object.entries(fields) as [string, GoType<unknown>][];
  const exact = new Map(known.map((field) => [field[0], field]));
  const folded = new Map(known.map((field) => [fold(field[0]), field]));
  const struct = name.slice(name.lastIndexOf('.') + 1);
  const type: GoType<Readonly<Struct>> = {
    name,
    zero: Object.fromEntries(known.map(([key, { zero }]) => [key, zero])) as Struct,
    read: (value, reading, before) => {
      if (!(value instanceof GoObject)) return mismatch(value, reading, { type, before });
      const read = { ...before } as Record<string, unknown>;
      const outer = { struct: reading.struct, path: reading.path };
      for (const [key, each] of value.members) {
        const field = exact.get(key) ?? folded.get(fold(key));
        if (field === undefined) continue;
        reading.struct = struct;
        reading.path = [...outer.path, field[0]];
        read[field[0]] = field[1].read(each, reading, read[field[0]]);
      }
      Object.assign(reading, outer);
      return read as Struct;
    },
  };
  return type;
}

/** Beyond 2^53 it is refused here: nothing in this API counts so far. */
function wholeNumber(name: string): GoType<number> {
  const type: GoType<number> = {
    name,
    zero: 0,
    read: (value, reading, before) => {
      if (!(value instanceof GoNumber)) return mismatch(value, reading, { type, before });
      const number = Number(value.text);
      if (/^-?\d+$/.test(value.text) && Number.isSafeInteger(number)) return number;
      return mismatch(value, reading, { type, before, shown: `number ${value.text}` });
    },
  };
  return type;
}

/** Keeps what stood there, and the first problem. null is no problem anywhere. */
function mismatch<T>(value: GoValue, reading: Reading, at: { readonly type: GoType<T>; readonly before: T; readonly shown?: string }): T {
  if (value === null) return at.before;
  const into = reading.path.length === 0 ? 'value' : `struct field ${reading.struct}.${reading.path.join('.')}`;
  reading.problem ??= `json: cannot unmarshal ${at.shown ?? kindOf(value)} into Go ${into} of type ${at.type.name}`;
  return at.before;
}

function kindOf(value: Exclude<GoValue, null>): string {
  if (value instanceof GoNumber) return 'number';
  if (value instanceof GoObject) return 'object';
  return isList(value) ? 'array' : typeof value === 'boolean' ? 'bool' : 'string';
}

function isList(value: GoValue): value is readonly GoValue[] {
  return Array.isArray(value);
}

/** Letters that Unicode folds into ASCII ones count as these: the Kelvin sign, which lower case takes care of, and the long s. */
function fold(key: string): string {
  return key.toLowerCase().replaceAll('\u017f', 's');
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const zeroTime = Date.parse('0001-01-01T00:00:00Z');

function plainValue(value: GoValue): unknown {
  if (value instanceof GoNumber) return Number(value.text);
  if (value instanceof GoObject) return Object.fromEntries(value.members.map(([key, each]) => [key, plainValue(each)]));
  return isList(value) ? value.map(plainValue) : value;
}
