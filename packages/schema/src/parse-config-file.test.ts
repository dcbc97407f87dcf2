import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfigFile } from './parse-config-file.ts';
import { small } from './small.testing.ts';

const read = async (...lines: string[]) => {
  const { given, problems } = await parseConfigFile(small, { text: lines.join('\n'), file: 'f.yaml' });
  return {
    given: given.map(({ key, items, append, place }) => ({ key, items, append, place })),
    problems: problems.map((one) => one.message),
  };
};
const problems = async (...lines: string[]) => (await read(...lines)).problems;

test('each value is known with its line', async () => {
  assert.deepEqual(await read('# comment', 'port: 81', 'fast: true', 'name+:', '  - a', '  - b'), {
    given: [
      { key: 'port', items: [{ value: 81, place: 'f.yaml:2' }], append: false, place: 'f.yaml:2' },
      { key: 'fast', items: [{ value: true, place: 'f.yaml:3' }], append: false, place: 'f.yaml:3' },
      {
        key: 'name',
        items: [
          { value: 'a', place: 'f.yaml:5' },
          { value: 'b', place: 'f.yaml:6' },
        ],
        append: true,
        place: 'f.yaml:4',
      },
    ],
    problems: [],
  });
});

test('a number is taken as it is written where a text is wanted', async () => {
  const { given } = await read('password: 0644', 'an-arg: [1.30]', 'port: "82"');
  assert.deepEqual(
    given.map((one) => one.items.map((item) => item.value)),
    [['0644'], ['1.30'], [82]],
  );
});

test('one text is a list of one, or of its comma-separated parts; nothing is an empty list', async () => {
  const { given } = await read('name: a, b', 'an-arg: x=1,2');
  assert.deepEqual(
    given.map((one) => one.items.map((item) => item.value)),
    [['a', 'b'], ['x=1,2']],
  );
  assert.deepEqual((await read('name:', '#  - a')).given[0]?.items, []);
});

test('an anchor can be used', async () => {
  const { given } = await read('name: &names [a]', 'an-arg: *names');
  assert.deepEqual(
    given[1]?.items.map((item) => item.value),
    ['a'],
  );
});

test('an empty file gives nothing', async () => {
  assert.deepEqual(await read(''), { given: [], problems: [] });
  assert.deepEqual(await read('# nothing', '---'), { given: [], problems: [] });
});

test('an unknown key is an error with its line and what was meant', async () => {
  assert.deepEqual(await problems('port: 1', 'prot: 2', 'secret_dor: true', 'colours+: x'), [
    'unknown key "prot" in f.yaml:2. Did you mean "port"? All keys: rfo paint --help.',
    'unknown key "secret_dor" in f.yaml:3. All keys: rfo paint --help.',
    'unknown key "colours+" in f.yaml:4. Did you mean "colour"? All keys: rfo paint --help.',
  ]);
});

test('a value of another type is an error that names both', async () => {
  assert.deepEqual(
    await problems(
      'port: many',
      'fast: 3',
      'colour: [red]',
      'password: {a: b}',
      'name: [{a: b}]',
      'folder: true',
      'fast2:',
      'colour+: x'.replace('colour', 'fast'),
    ),
    [
      'port in f.yaml:1: expected a number, got "many". Give a number.',
      'fast in f.yaml:2: expected true or false, got 3. Write true or false.',
      'colour in f.yaml:3: expected a text, got a list. Give a text.',
      'password in f.yaml:4: expected a text, got a map. Give a text.',
      'name in f.yaml:5: expected a list of texts, got a map. Give a list of texts.',
      'folder in f.yaml:6: expected a text, got true. Put it in quotes if it is meant as a text.',
      'unknown key "fast2" in f.yaml:7. Did you mean "fast"? All keys: rfo paint --help.',
      'fast in f.yaml:8: only a list can be appended to. Leave out the "+".',
    ],
  );
});

test('a key without a value and a key that belongs elsewhere are errors', async () => {
  assert.deepEqual(await problems('port:', 'config: x'), [
    'port in f.yaml:1: it has no value. Give one, or leave the key out.',
    'config in f.yaml:2: it cannot be given there. Give it as a flag: --config.',
  ]);
});

test('what is no YAML, or no map, or has a key twice, is told with its line', async () => {
  assert.match((await problems('port: 1', 'port: 2'))[0] ?? '', /^cannot read f.yaml:2: Map keys must be unique/);
  assert.match((await problems('port: [1'))[0] ?? '', /^cannot read f.yaml:1: /);
  assert.match((await problems('- port'))[0] ?? '', /^cannot read f.yaml: it is not a map of keys/);
});
