// What one source gave to one option, before anything is decided about it.
import { fail, type RfoError } from '@rfo/foundation';
import type { Flaw } from './declaration.ts';
import type { OptionInfo, Source } from './option.ts';

export type Scalar = string | number | boolean;
/** A value and the place it came from, as an error names it: `/etc/rancher/rfo/config.yaml:3`. */
export type Item = { readonly value: Scalar; readonly place: string };
export type Given = {
  readonly key: string;
  readonly source: Source;
  /** One for an option with one value, any number for a list. */
  readonly items: readonly Item[];
  /** Added to what earlier files gave, instead of replacing it. */
  readonly append: boolean;
  readonly place: string;
};
/** What a source gave, and what was wrong with it: reading goes on after a mistake, so that all are told together. */
export type Reading = { readonly given: readonly Given[]; readonly problems: readonly RfoError[] };

/** Turns a text into what the option takes, or says why it cannot. */
export function coerceText(info: OptionInfo, text: string): { readonly value: Scalar } | Flaw {
  if (info.kind === 'boolean') {
    if (text === 'true' || text === '1') return { value: true };
    if (text === 'false' || text === '0') return { value: false };
    return wrongType(info, JSON.stringify(text));
  }
  if (info.kind !== 'number') return { value: text };
  return /^-?\d+(\.\d+)?$/.test(text) ? { value: Number(text) } : wrongType(info, JSON.stringify(text));
}

/** Splits a text into the items of a list where the option's items cannot hold a comma. */
export function splitText(info: OptionInfo, text: string): readonly string[] {
  if (info.split !== true) return [text];
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The flaw of a value of another type. @param got what was found, in words */
export function wrongType(info: OptionInfo, got: string): Flaw {
  const expected = { boolean: 'true or false', number: 'a number', text: 'a text', list: 'a list of texts' }[info.kind];
  return { problem: `expected ${expected}, got ${got}`, cure: info.kind === 'boolean' ? 'Write true or false' : `Give ${expected}` };
}

export function flawed(key: string, place: string, flaw: Flaw): RfoError {
  return fail('config-invalid', { key, where: place, ...flaw });
}

/** Whether the option may be given by this source; else what to tell. */
export function misplaced(info: OptionInfo, source: Source): Flaw | undefined {
  if (info.from === undefined || info.from.includes(source)) return undefined;
  return { problem: 'it cannot be given there', cure: `Give it as a flag: --${info.key}` };
}
