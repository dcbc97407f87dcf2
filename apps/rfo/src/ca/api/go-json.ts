/**
 * JSON as Go's encoding/json sees it: every key in its order, doubles too, numbers as they are written, and Go's own words for what is no JSON.
 * Clients of the CFSSL API show those words to people and look for them in scripts.
 */

/** What is wrong with a text, or with a value in it, as Go says it. */
export class GoJsonError extends Error {
  override readonly name = 'GoJsonError';
}

/** A number as it stands in the text: a serial number has more digits than a float can hold. */
export class GoNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Members in their order; a key may come twice. */
export class GoObject {
  readonly members: readonly (readonly [key: string, value: GoValue])[];
  constructor(members: readonly (readonly [string, GoValue])[]) {
    this.members = members;
  }
}

export type GoValue = null | boolean | string | GoNumber | GoObject | readonly GoValue[];

/** How deep values may stand in one another. Go allows ten times as many, which no request of this API comes near. */
const deepest = 1000;

/** @throws GoJsonError */
export function parseGoJson(bytes: Uint8Array): GoValue {
  return new Parser(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')).whole();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): GoValue {
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
    return value;
  }

  #value(): GoValue {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (char === '"') return this.#string();
    if (char === '{') return this.#nested(() => this.#object());
    if (char === '[') return this.#nested(() => this.#array());
    if (char === 't') return this.#literal('true', true);
    if (char === 'f') return this.#literal('false', false);
    if (char === 'n') return this.#literal('null', null);
    if (char === '-' || isDigit(char)) return this.#number();
    throw this.#unexpected('looking for beginning of value');
  }

  #nested(read: () => GoValue): GoValue {
    if (++this.#depth > deepest) throw new GoJsonError('exceeded max depth');
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): GoObject {
    const members: [string, GoValue][] = [];
    this.#skipSpace();
    if (this.#take('}')) return new GoObject(members);
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('looking for beginning of object key string');
      const key = this.#string();
      this.#skipSpace();
      if (!this.#take(':')) throw this.#unexpected('after object key');
      members.push([key, this.#value()]);
      this.#skipSpace();
      if (this.#take('}')) return new GoObject(members);
      if (!this.#take(',')) throw this.#unexpected('after object key:value pair');
    }
  }

  #array(): GoValue[] {
    const values: GoValue[] = [];
    this.#skipSpace();
    if (this.#take(']')) return values;
    for (;;) {
      values.push(this.#value());
      this.#skipSpace();
      if (this.#take(']')) return values;
      if (!this.#take(',')) throw this.#unexpected('after array element');
    }
  }

  /** Mostly one run without an escape. */
  #string(): string {
    this.#at++;
    const parts: string[] = [];
    for (;;) {
      plain.lastIndex = this.#at;
      const run = plain.exec(this.#text)?.[0] ?? '';
      this.#at += run.length;
      const char = this.#text[this.#at];
      if (char === '"') {
        this.#at++;
        // A surrogate without its other half is replaced, as Go does.
        return parts.length === 0 ? run : [...parts, run].join('').toWellFormed();
      }
      if (char !== '\\') throw this.#unexpected('in string literal');
      this.#at++;
      parts.push(run, this.#escape());
    }
  }

  #escape(): string {
    const char = this.#text[this.#at] ?? '';
    const simple = escapes[char];
    if (simple === undefined && char !== 'u') throw this.#unexpected('in string escape code', 'space');
    this.#at++;
    if (simple !== undefined) return simple;
    for (const start = this.#at; this.#at < start + 4; this.#at++)
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? '')) throw this.#unexpected('in \\u hexadecimal character escape', 'space');
    return String.fromCharCode(Number.parseInt(this.#text.slice(this.#at - 4, this.#at), 16));
  }

  #literal<T>(word: string, value: T): T {
    for (const [index, char] of [...word].entries()) {
      if (this.#text[this.#at + index] === char) continue;
      this.#at += index;
      throw this.#unexpected(`in literal ${word} (expecting ${quote(char)})`, 'space');
    }
    this.#at += word.length;
    return value;
  }

  #number(): GoNumber {
    const start = this.#at;
    this.#take('-');
    if (!this.#take('0')) this.#digits('in numeric literal');
    if (this.#take('.')) this.#digits('after decimal point in numeric literal');
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-');
      this.#digits('in exponent of numeric literal');
    }
    return new GoNumber(this.#text.slice(start, this.#at));
  }

  #digits(where: string): void {
    if (!isDigit(this.#text[this.#at])) throw this.#unexpected(where, 'space');
    while (isDigit(this.#text[this.#at])) this.#at++;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  /** @param atEnd inside a word or a number Go takes the end of the text for a space, which is then the wrong character */
  #unexpected(where: string, atEnd: 'space' | 'end' = 'end'): GoJsonError {
    const found = this.#text.codePointAt(this.#at);
    if (found === undefined && atEnd === 'end') return new GoJsonError('unexpected end of JSON input');
    return new GoJsonError(`invalid character ${quote(String.fromCodePoint(found ?? 0x20))} ${where}`);
  }
}

/** From the space on, but for the quote and the backslash. */
const plain = /[ !#-[\]-\uffff]*/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}

const named: Readonly<Record<string, string>> = {
  "'": "\\'",
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** Go looks at bytes: of a character beyond ASCII it names the first one, as if that were a character. */
function quote(char: string): string {
  const [byte = 0] = Buffer.from(char);
  const shown = String.fromCharCode(byte);
  const name = named[shown];
  if (name !== undefined) return `'${name}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, '0')}'`;
  if ((byte >= 0x80 && byte < 0xa0) || byte === 0xad) return `'\\u00${byte.toString(16)}'`;
  return `'${shown}'`;
}
