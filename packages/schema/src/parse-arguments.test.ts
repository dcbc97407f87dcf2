import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseArguments } from './parse-arguments.ts';
import { small } from './small.testing.ts';

const valuesOf = (...argv: string[]) => {
  const { given, operands, problems } = parseArguments(small, argv);
  const values = given.map(({ key, items }) => [key, items.map((item) => item.value)]);
  return { values: Object.fromEntries(values), operands, problems: problems.map((problem) => problem.message) };
};

test('a value follows its flag or is attached to it, in the long and the short form', () => {
  for (const argv of [['--port', '81'], ['--port=81'], ['-p', '81'], ['-p=81']]) {
    assert.deepEqual(valuesOf(...argv), { values: { port: [81] }, operands: [], problems: [] });
  }
});

test('a toggle takes no value unless it is attached', () => {
  assert.deepEqual(valuesOf('--fast', 'wall'), { values: { fast: [true] }, operands: ['wall'], problems: [] });
  assert.deepEqual(valuesOf('--fast=false').values, { fast: [false] });
});

test('the last of a repeated flag counts, a repeated list grows', () => {
  assert.deepEqual(valuesOf('-p', '1', '-p', '2', '--name', 'a,b', '--name=c').values, { port: [2], name: ['a', 'b', 'c'] });
});

test('a comma splits only where items cannot hold one', () => {
  assert.deepEqual(valuesOf('--an-arg=a=1,2', '--an-arg', '--b=3').values, { 'an-arg': ['a=1,2', '--b=3'] });
});

test('an empty list is a list', () => {
  assert.deepEqual(valuesOf('--name=').values, { name: [] });
});

test('a declaration that says so takes its long flags with one dash, and its short ones still', () => {
  const valuesOfOne = (...argv: string[]) => {
    const { given, operands, problems } = parseArguments({ ...small, oneDash: true }, argv);
    return [given.map(({ key, items }) => [key, items.at(-1)?.value]), operands, problems.map((problem) => problem.message)];
  };
  assert.deepEqual(valuesOfOne('-port=81', '-fast', '-colour', 'red', '--port', '82', '-p', '83', '-'), [
    [
      ['port', 83],
      ['fast', true],
      ['colour', 'red'],
    ],
    ['-'],
    [],
  ]);
  assert.match(String(valuesOfOne('-colur', 'red')[2]), /unknown flag -colur of rfo paint\. Did you mean --colour\?/);
  assert.match(valuesOf('-colour', 'red').problems.join(), /unknown flag -colour/);
});

test('after two dashes nothing is a flag', () => {
  assert.deepEqual(valuesOf('a', '--', '--fast'), { values: {}, operands: ['a', '--fast'], problems: [] });
});

test('everything that is wrong is told, with what was meant', () => {
  assert.deepEqual(valuesOf('--colur', 'red', '--port', '--fast', '--fast=maybe', '--zzz'), {
    values: { fast: [true] },
    operands: [],
    problems: [
      'unknown flag --colur of rfo paint. Did you mean --colour? All flags: rfo paint --help.',
      'port in the command line: --port has no value. Write --port=<value>.',
      'fast in the command line: expected true or false, got "maybe". Write true or false.',
      'unknown flag --zzz of rfo paint. All flags: rfo paint --help.',
    ],
  });
});

test('what is written as arguments is read back as it was', () => {
  const word = fc.stringMatching(/^[^-\s,][^,]*$/);
  const model = fc.record({
    port: fc.integer({ min: 0, max: 99_999 }),
    colour: word,
    fast: fc.boolean(),
    name: fc.array(
      word.map((text) => text.trim()),
      { minLength: 1 },
    ),
    'an-arg': fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
  });
  fc.assert(
    fc.property(model, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), fc.array(word), (values, attach, operands) => {
      const argv = Object.entries(values).flatMap(([key, value], at) =>
        [value].flat().flatMap((one) => {
          const apart = attach[at] && typeof one !== 'boolean' && !String(one).startsWith('-');
          return apart ? [`--${key}`, String(one)] : [`--${key}=${one}`];
        }),
      );
      const expected = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, [value].flat()]));
      assert.deepEqual(valuesOf(...argv, ...operands), { values: expected, operands, problems: [] });
    }),
  );
});
