/**
 * Whitelists of names are written for Go's regexp package; this runs them as it does: all paths at once, so that a name that somebody made for it
 * cannot keep the CA busy (https://swtch.com/~rsc/regexp/regexp1.html).
 */

import { type Members, wordCharacters } from './go-regexp-classes.ts';
import { type Assertion, type Pattern, parseGoRegexp } from './go-regexp-syntax.ts';
import type { NamePattern } from './types.ts';

/** Throws SyntaxError for what Go does not compile, and for what is beyond 10000 steps. */
export function compileGoRegexp(source: string): NamePattern {
  const program: Step[] = [];
  emit(program, parseGoRegexp(source));
  program.push({ kind: 'match' });
  return { source, test: (text) => run(program, text) };
}

type Step =
  | { readonly kind: 'one'; readonly members: Members }
  | { readonly kind: 'assert'; readonly what: Assertion }
  /** Goes on at both places; those behind are filled in when they are known. */
  | { readonly kind: 'fork'; readonly to: number[] }
  | { readonly kind: 'match' };

const mostSteps = 10_000;

function emit(program: Step[], pattern: Pattern): void {
  if (program.length > mostSteps) throw new SyntaxError('expression too large');
  if (pattern.kind === 'one' || pattern.kind === 'assert') program.push(pattern);
  else if (pattern.kind === 'all') for (const item of pattern.items) emit(program, item);
  else if (pattern.kind === 'either') emitEither(program, pattern.items);
  else emitRepeat(program, pattern);
}

function emitEither(program: Step[], items: readonly Pattern[]): void {
  const start = fork(program);
  const ends: number[][] = [];
  for (const item of items) {
    start.push(program.length);
    emit(program, item);
    ends.push(fork(program));
  }
  for (const end of ends) end.push(program.length);
}

function emitRepeat(program: Step[], { item, min, max }: Extract<Pattern, { kind: 'repeat' }>): void {
  for (let count = 0; count < min; count++) emit(program, item);
  const skips: number[][] = [];
  for (let count = min; count < (max ?? min + 1); count++) {
    const start = program.length;
    const branch = fork(program);
    branch.push(program.length);
    emit(program, item);
    if (max === undefined) fork(program).push(start);
    skips.push(branch);
  }
  for (const skip of skips) skip.push(program.length);
}

function fork(program: Step[]): number[] {
  const to: number[] = [];
  program.push({ kind: 'fork', to });
  return to;
}

/** Whether the program matches anywhere in the text. */
function run(program: readonly Step[], text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  let waiting = new Set<number>();
  for (let at = 0; at <= codes.length; at++) {
    waiting.add(0);
    const reached = follow(program, waiting, { codes, at });
    if (reached.has(program.length - 1)) return true;
    waiting = new Set();
    const code = codes[at];
    if (code === undefined) return false;
    for (const index of reached) {
      const step = program[index];
      if (step?.kind === 'one' && step.members(code)) waiting.add(index + 1);
    }
  }
  return false;
}

type Place = { readonly codes: readonly number[]; readonly at: number };

/** All that is reached from there without taking a character. A Set hands out what is added while it is walked through. */
function follow(program: readonly Step[], from: Set<number>, place: Place): Set<number> {
  for (const index of from) {
    const step = program[index];
    if (step?.kind === 'fork') for (const next of step.to) from.add(next);
    if (step?.kind === 'assert' && holds(step.what, place)) from.add(index + 1);
  }
  return from;
}

const newline = 10;

function holds(what: Assertion, { codes, at }: Place): boolean {
  const before = codes[at - 1];
  const after = codes[at];
  if (what === 'textStart') return before === undefined;
  if (what === 'textEnd') return after === undefined;
  if (what === 'lineStart') return before === undefined || before === newline;
  if (what === 'lineEnd') return after === undefined || after === newline;
  const edge = (before !== undefined && wordCharacters(before)) !== (after !== undefined && wordCharacters(after));
  return edge === (what === 'wordEdge');
}
