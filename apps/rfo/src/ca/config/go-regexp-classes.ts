/** Sets of characters in Go's regular expressions. */

/** Whether a code point belongs to a set. */
export type Members = (code: number) => boolean;

/** A set of ranges, both ends included. */
export function members(ranges: readonly (readonly [number, number])[]): Members {
  return (code) => ranges.some(([from, to]) => code >= from && code <= to);
}

export function oneOf(code: number): Members {
  return (other) => other === code;
}

/** `a-zA-Z_` as code points; a single character stands for itself. */
function written(...ranges: readonly string[]): Members {
  return members(ranges.map((range) => [range.codePointAt(0) ?? 0, range.codePointAt(range.length - 1) ?? 0]));
}

export const digits = written('0-9');
/** Without the vertical tab, which JavaScript counts in, and without the spaces of Unicode. */
export const spaces = written('\t', '\n', '\f', '\r', ' ');
export const wordCharacters = written('0-9', 'A-Z', 'a-z', '_');

const named: Readonly<Record<string, Members>> = {
  alnum: written('0-9', 'A-Z', 'a-z'),
  alpha: written('A-Z', 'a-z'),
  ascii: members([[0, 0x7f]]),
  blank: written('\t', ' '),
  cntrl: members([
    [0, 0x1f],
    [0x7f, 0x7f],
  ]),
  digit: digits,
  graph: written('!-~'),
  lower: written('a-z'),
  print: written(' -~'),
  punct: written('!-/', ':-@', '[-`', '{-~'),
  space: written('\t-\r', ' '),
  upper: written('A-Z'),
  word: wordCharacters,
  xdigit: written('0-9', 'A-F', 'a-f'),
};

/** `[:alpha:]`. Throws SyntaxError for a name that is none. */
export function classNamed(name: string, negated: boolean): Members {
  const set = Object.hasOwn(named, name) ? named[name] : undefined;
  if (set === undefined) throw new SyntaxError('invalid character class range');
  return negated ? (code) => !set(code) : set;
}

/** `\pL`, `\p{Lu}`, `\p{Greek}`: a general category of Unicode or a script. Throws SyntaxError for a name that is none. */
export function unicodeClass(name: string): Members {
  if (name === 'Any') return () => true;
  const property = name.length <= 2 ? `General_Category=${name}` : `Script=${name}`;
  const one = new RegExp(`^\\p{${property}}$`, 'u');
  return (code) => one.test(String.fromCodePoint(code));
}
