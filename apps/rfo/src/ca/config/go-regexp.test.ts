import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileGoRegexp } from './go-regexp.ts';

/** Pattern, what it is found in, what it is not found in. */
const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['^system:node:', ['system:node:a'], ['xsystem:node:a', 'system:nodes']],
  ['example', ['www.example.com', 'example'], ['exampl']],
  ['^([a-z0-9-]+\\.)+example\\.com$', ['www.example.com', 'a.b.example.com'], ['example.com', 'www.example.com.evil', 'www.exampleXcom']],
  ['^a|b$', ['ac', 'cb'], ['ca', 'bc']],
  ['a{2,3}b', ['aab', 'aaab', 'aaaab'], ['ab']],
  ['^a{2}$', ['aa'], ['a', 'aaa']],
  ['^a{2,}$', ['aa', 'aaaa'], ['a']],
  ['^(?:ab)?c*$', ['', 'ab', 'abccc', 'c'], ['abab']],
  ['^a{,2}$', ['a{,2}'], ['aa']],
  ['(?i)^Node-K$', ['node-k', 'NODE-K'], ['node-l']],
  ['^a(?i)b(?-i)c$', ['abc', 'aBc'], ['Abc', 'abC']],
  ['^(?i:A)b$', ['ab', 'Ab'], ['aB']],
  ['(?s)^a.b$', ['a\nb', 'axb'], ['ab']],
  ['^a.b$', ['axb', 'a\rb', 'a\u2028b', 'a😀b'], ['a\nb']],
  ['(?m)^b$', ['a\nb\nc'], ['ab']],
  ['^b$', ['b'], ['a\nb', 'b\n']],
  ['\\Ab\\z', ['b'], ['ab', 'b\n']],
  ['^\\d+$', ['123'], ['١٢٣', '12a']],
  ['^\\s$', [' ', '\t'], ['\v', '\u00a0']],
  ['^\\w+$', ['a_1'], ['é', '-']],
  ['^\\W\\D\\S$', ['-a-'], ['a1 ']],
  ['\\bnode\\b', ['a node b', 'node'], ['nodes']],
  ['a\\Bb', ['ab'], ['a b']],
  ['^[[:alpha:]_]+$', ['ab_'], ['a:', '1']],
  ['^[[:^digit:]]$', ['a'], ['1']],
  ['^[]a]+$', [']a'], ['[']],
  ['^[^a-c]$', ['d', '\n'], ['b']],
  ['^[a-c-]+$', ['a-c'], ['d']],
  ['^[\\d.\\-]+$', ['1.2-3'], ['a']],
  ['(?i)^[^a]$', ['b'], ['A', 'a']],
  ['^\\pL+$', ['aé'], ['1']],
  ['^\\p{Greek}\\P{Lu}$', ['αb'], ['ab', 'αB']],
  ['^\\x41\\x{42}\\103$', ['ABC'], ['abc']],
  ['^\\Qa.b*\\E+$', ['a.b*', 'a.b**'], ['axb']],
  ['^\\.\\_\\-\\/$', ['._-/'], ['a_-/']],
  ['(?P<name>a)(?<other>b)', ['ab'], ['a']],
  ['^(a*)*$', ['aaa', ''], ['b']],
  ['^(|a)+$', ['', 'aa'], ['b']],
  ['', ['', 'anything'], []],
];

describe('compileGoRegexp', () => {
  for (const [pattern, found, missed] of table)
    it(`finds /${pattern}/ where Go does`, () => {
      const { test } = compileGoRegexp(pattern);
      for (const text of found) assert.equal(test(text), true, `in ${JSON.stringify(text)}`);
      for (const text of missed) assert.equal(test(text), false, `in ${JSON.stringify(text)}`);
    });

  for (const pattern of [
    '(',
    'a)',
    '[a',
    '[b-a]',
    '*a',
    'a**',
    'a{2}{3}',
    'a{1001}',
    'a{3,2}',
    '\\',
    '\\1',
    '\\Z',
    '\\y',
    '\\C',
    '(?=a)',
    '(?<!a)b',
    '[[:word',
    '[[:nothing:]]',
    '\\p{Nothing}',
    '(?x)a',
    '((a{100}){100}){100}',
  ])
    it(`refuses /${pattern}/`, () => assert.throws(() => compileGoRegexp(pattern), SyntaxError));

  it('agrees with JavaScript wherever the two languages are one', () => {
    let state = 7;
    const pick = <T>(items: readonly T[], otherwise: T): T => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return items[Math.floor((state / 2_147_483_648) * items.length)] ?? otherwise;
    };
    const pattern = (depth: number): string => {
      if (depth === 0) return pick(['a', 'b', '[ab]', '[^a]', '^', '$', 'c'], 'a');
      const one = pattern(depth - 1);
      const two = pattern(depth - 1);
      return pick([`${one}${two}`, `(${one}|${two})`, `(${one})*`, `(${one})?${two}`, `(?:${one}){1,2}`, `(${two})+`], one);
    };
    for (let round = 0; round < 1500; round++) {
      const source = pattern(3);
      const text = Array.from({ length: pick([0, 1, 2, 3, 4, 5], 0) }, () => pick(['a', 'b', 'c'], 'a')).join('');
      assert.equal(compileGoRegexp(source).test(text), new RegExp(source).test(text), `/${source}/ in "${text}"`);
    }
  });

  it('takes no longer for a name that was made to keep it busy', () => {
    assert.equal(compileGoRegexp('^(([a-z])+.)+[A-Z]([a-z])+$').test('a'.repeat(4000)), false);
  });
});
