/**
 * Reads the syntax of Go's regexp package (RE2, https://github.com/google/re2/wiki/Syntax) into a tree. JavaScript's own expressions read some
 * of it otherwise (`\s`, `.`, `[[:alpha:]]`, `\z`, `(?i)`), and a whitelist that is read otherwise lets through what it should not.
 */
import { classNamed, digits, type Members, members, oneOf, spaces, unicodeClass, wordCharacters } from './go-regexp-classes.ts';

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordEdge' | 'noWordEdge';
export type Pattern =
  | { readonly kind: 'one'; readonly members: Members }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'all'; readonly items: readonly Pattern[] }
  | { readonly kind: 'either'; readonly items: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly item: Pattern; readonly min: number; readonly max: number | undefined };

/** Throws SyntaxError for what Go refuses, and for `\C` (a single byte), which we do not know. */
export function parseGoRegexp(source: string): Pattern {
  const reader = new PatternReader(source);
  const pattern = reader.alternatives();
  if (!reader.done) throw new SyntaxError('unexpected )');
  return pattern;
}

type Flags = { readonly i: boolean; readonly m: boolean; readonly s: boolean };

/** Go's limit of what `{n}` may say. */
const mostRepeats = 1000;

class PatternReader {
  readonly #text: readonly string[];
  #at = 0;
  #flags: Flags = { i: false, m: false, s: false };
  constructor(source: string) {
    this.#text = [...source];
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Up to the end or to a closing parenthesis; flags set in between end with it. */
  alternatives(): Pattern {
    const outer = this.#flags;
    const items = [this.#sequence()];
    while (this.#take('|')) items.push(this.#sequence());
    this.#flags = outer;
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'either', items };
  }

  #sequence(): Pattern {
    const items: Pattern[] = [];
    while (!this.done && this.#peek() !== '|' && this.#peek() !== ')') {
      if (this.#takeText('\\Q')) items.push(...this.#quoted());
      else {
        const item = this.#atom();
        if (item !== undefined) items.push(this.#repeated(item));
      }
    }
    return { kind: 'all', items };
  }

  /** Undefined where only flags were set. */
  #atom(): Pattern | undefined {
    const character = this.#next();
    if (character === '(') return this.#group();
    if (character === '[') return { kind: 'one', members: this.#set() };
    if (character === '.') return { kind: 'one', members: this.#flags.s ? () => true : (code) => code !== newline };
    if (character === '^') return { kind: 'assert', what: this.#flags.m ? 'lineStart' : 'textStart' };
    if (character === '$') return { kind: 'assert', what: this.#flags.m ? 'lineEnd' : 'textEnd' };
    if (character === '*' || character === '+' || character === '?') throw new SyntaxError('missing argument to repetition operator');
    if (character === '\\') return this.#escape();
    if (character === '{' && this.#bounds(this.#at) !== undefined) throw new SyntaxError('missing argument to repetition operator');
    return this.#literal(character);
  }

  #repeated(item: Pattern): Pattern {
    const bounds = this.#repetition();
    if (bounds === undefined) return item;
    this.#take('?');
    if (this.#repetition() !== undefined) throw new SyntaxError('invalid nested repetition operator');
    const { min, max } = bounds;
    if (min > mostRepeats || (max ?? min) > mostRepeats || (max ?? min) < min) throw new SyntaxError('invalid repeat count');
    return { kind: 'repeat', item, min, max };
  }

  #repetition(): Bounds | undefined {
    if (this.#take('*')) return { min: 0, max: undefined };
    if (this.#take('+')) return { min: 1, max: undefined };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#peek() !== '{') return undefined;
    const bounds = this.#bounds(this.#at + 1);
    if (bounds === undefined) return undefined;
    this.#at = bounds.end;
    return bounds;
  }

  /** Of `2}`, `2,}` and `2,3}`; anything else after a brace makes it an ordinary character. */
  #bounds(from: number): (Bounds & { end: number }) | undefined {
    const found = /^(\d+)(?:(,)(\d*))?\}/.exec(this.#text.slice(from, from + 40).join(''));
    if (found === null) return undefined;
    const [whole, least = '', comma, most = ''] = found;
    const min = Number(least);
    return { min, max: comma === undefined ? min : most === '' ? undefined : Number(most), end: from + whole.length };
  }

  #group(): Pattern | undefined {
    const outer = this.#flags;
    if (this.#take('?')) {
      const rest = this.#text.slice(this.#at).join('');
      const name = /^P?<\w+>/.exec(rest)?.[0];
      const flags = /^([imsU]*)(-[imsU]+)?([:)])/.exec(rest);
      if (name !== undefined) this.#at += name.length;
      else if (flags !== null) {
        this.#at += flags[0].length;
        this.#flags = changed(outer, flags[1] ?? '', flags[2] ?? '');
        if (flags[3] === ')') return undefined;
      } else throw new SyntaxError('invalid or unsupported Perl syntax');
    }
    const inner = this.alternatives();
    if (!this.#take(')')) throw new SyntaxError('missing closing )');
    this.#flags = outer;
    return inner;
  }

  #escape(): Pattern {
    const character = this.#peek();
    const assertion = escapedAssertions.get(character ?? '');
    if (assertion !== undefined) {
      this.#at += 1;
      return { kind: 'assert', what: assertion };
    }
    return { kind: 'one', members: this.#escapedClass() ?? this.#folded(oneOf(this.#escapedCharacter())) };
  }

  /** After `[`, up to and with `]`. */
  #set(): Members {
    const negated = this.#take('^');
    const parts: Members[] = [];
    for (let first = true; first || this.#peek() !== ']'; first = false) parts.push(this.#setPart());
    this.#at += 1;
    const all = this.#folded((code) => parts.some((part) => part(code)));
    return negated ? (code) => !all(code) : all;
  }

  #setPart(): Members {
    const named = /^\[:(\^?)(\w+):\]/.exec(this.#text.slice(this.#at, this.#at + 12).join(''));
    if (named !== null) {
      this.#at += named[0].length;
      return classNamed(named[2] ?? '', named[1] === '^');
    }
    if (this.#peek() === '\\' && this.#at + 1 < this.#text.length) {
      this.#at += 1;
      const known = this.#escapedClass();
      if (known !== undefined) return known;
      this.#at -= 1;
    }
    const from = this.#setCharacter();
    if (this.#peek() !== '-' || this.#text[this.#at + 1] === ']' || this.#text[this.#at + 1] === undefined) return oneOf(from);
    this.#at += 1;
    const to = this.#setCharacter();
    if (to < from) throw new SyntaxError('invalid character class range');
    return members([[from, to]]);
  }

  #setCharacter(): number {
    if (this.done) throw new SyntaxError('missing closing ]');
    return this.#take('\\') ? this.#escapedCharacter() : codeOf(this.#next());
  }

  /** `\d`, `\pL` and their like, the backslash taken already; undefined and nothing taken where it is another escape. */
  #escapedClass(): Members | undefined {
    const letter = this.#peek();
    const known = escapedClasses.get(letter?.toLowerCase() ?? '');
    if (known !== undefined && letter !== undefined) {
      this.#at += 1;
      return letter === letter.toLowerCase() ? known : (code) => !known(code);
    }
    const unicode = /^([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/.exec(this.#text.slice(this.#at, this.#at + 40).join(''));
    if (unicode === null) return undefined;
    this.#at += unicode[0].length;
    const named = unicodeClass(unicode[3] ?? unicode[4] ?? '');
    const negated = (unicode[1] === 'P') !== (unicode[2] === '^');
    return this.#folded(negated ? (code) => !named(code) : named);
  }

  #escapedCharacter(): number {
    const rest = this.#text.slice(this.#at, this.#at + 12).join('');
    const numbered = /^(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,8})\}|(0[0-7]{0,2}|[1-7][0-7]{1,2}))/.exec(rest);
    if (numbered !== null) {
      this.#at += numbered[0].length;
      const code = numbered[3] === undefined ? Number.parseInt(numbered[1] ?? numbered[2] ?? '', 16) : Number.parseInt(numbered[3], 8);
      if (code > 0x10_ffff) throw new SyntaxError('invalid escape sequence');
      return code;
    }
    if (this.done) throw new SyntaxError('trailing backslash at end of expression');
    const character = this.#next();
    const control = 'aftnrv'.indexOf(character);
    if (control >= 0) return [7, 12, 9, 10, 13, 11][control] ?? 0;
    if (!/[!-/:-@[-`{-~ ]/.test(character)) throw new SyntaxError('invalid escape sequence');
    return codeOf(character);
  }

  #quoted(): Pattern[] {
    const items: Pattern[] = [];
    while (!this.done && !this.#takeText('\\E')) items.push(this.#literal(this.#next()));
    const last = items.pop();
    return last === undefined ? [] : [...items, this.#repeated(last)];
  }

  #literal(character: string): Pattern {
    return { kind: 'one', members: this.#folded(oneOf(codeOf(character))) };
  }

  #folded(wanted: Members): Members {
    if (!this.#flags.i) return wanted;
    return (code) => {
      const character = String.fromCodePoint(code);
      return wanted(code) || wanted(codeOf(character.toLowerCase())) || wanted(codeOf(character.toUpperCase()));
    };
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #next(): string {
    const character = this.#text[this.#at];
    if (character === undefined) throw new SyntaxError('it ends too early');
    this.#at += 1;
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #takeText(text: string): boolean {
    if (this.#text.slice(this.#at, this.#at + text.length).join('') !== text) return false;
    this.#at += text.length;
    return true;
  }
}

type Bounds = { min: number; max: number | undefined };

const newline = 10;

const escapedAssertions = new Map<string, Assertion>([
  ['A', 'textStart'],
  ['z', 'textEnd'],
  ['b', 'wordEdge'],
  ['B', 'noWordEdge'],
]);
const escapedClasses = new Map([
  ['d', digits],
  ['s', spaces],
  ['w', wordCharacters],
]);

function changed(flags: Flags, on: string, off: string): Flags {
  const one = (name: keyof Flags): boolean => (flags[name] || on.includes(name)) && !off.includes(name);
  return { i: one('i'), m: one('m'), s: one('s') };
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
