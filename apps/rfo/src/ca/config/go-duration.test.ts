import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CfsslError } from '../cfssl-error.ts';
import { formatGoDuration, parseGoDuration } from './go-duration.ts';

const hour = 3_600_000;

/** Facts of Go's own documentation and tests of the time package. */
const readings: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['5s', 5000],
  ['30s', 30_000],
  ['1478s', 1_478_000],
  ['-5s', -5000],
  ['+5s', 5000],
  ['-0', 0],
  ['+0', 0],
  ['5.0s', 5000],
  ['5.6s', 5600],
  ['5.s', 5000],
  ['.5s', 500],
  ['1.0s', 1000],
  ['1.004s', 1004],
  ['100.00100s', 100_001],
  ['10ns', 0.000_01],
  ['11us', 0.011],
  ['12µs', 0.012],
  ['12μs', 0.012],
  ['13ms', 13],
  ['15m', 15 * 60_000],
  ['16h', 16 * hour],
  ['3h30m', 3.5 * hour],
  ['10.5s4m', 250_500],
  ['-2m3.4s', -123_400],
  ['1h2m3s4ms5us6ns', 3_723_004.005_006],
  ['39h9m14.425s', 140_954_425],
  ['8760h', 8760 * hour],
  ['43800h', 43_800 * hour],
  ['2562047h47m16.854775807s', 9_223_372_036_854.775],
];

describe('parseGoDuration', () => {
  for (const [text, milliseconds] of readings) it(`reads ${text}`, () => assert.equal(parseGoDuration(text), milliseconds));

  for (const [text, message] of [
    ['', 'time: invalid duration ""'],
    ['3000', 'time: missing unit in duration "3000"'],
    ['-', 'time: invalid duration "-"'],
    ['s', 'time: invalid duration "s"'],
    ['.', 'time: invalid duration "."'],
    ['.s', 'time: invalid duration ".s"'],
    ['7d', 'time: unknown unit "d" in duration "7d"'],
    ['1h 2m', 'time: unknown unit "h " in duration "1h 2m"'],
    ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['3000000h', 'time: invalid duration "3000000h"'],
  ])
    it(`refuses "${text}" in Go's words, as an error that cfssl has no number for`, () => {
      assert.throws(() => parseGoDuration(text ?? ''), new CfsslError(0, message ?? '', 500));
    });

  it('holds one nanosecond more on the negative side, as an int64 does; a float cuts off its last digits', () => {
    assert.equal(parseGoDuration('-9223372036854775808ns'), -9_223_372_036_854.775);
  });
});

describe('formatGoDuration', () => {
  for (const [milliseconds, text] of [
    [0, '0s'],
    [0.000_001, '1ns'],
    [0.0011, '1.1µs'],
    [2.2, '2.2ms'],
    [3300, '3.3s'],
    [245_000, '4m5s'],
    [245_001, '4m5.001s'],
    [5 * hour + 367_001, '5h6m7.001s'],
    [168 * hour, '168h0m0s'],
    [-3_300, '-3.3s'],
  ] as const)
    it(`writes ${text}`, () => assert.equal(formatGoDuration(milliseconds), text));

  it('writes what parseGoDuration reads back, for whole numbers of every size', () => {
    let state = 12_345;
    const random = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    for (let round = 0; round < 2000; round++) {
      const milliseconds = Math.floor(random() * 10 ** Math.floor(random() * 13)) * (random() < 0.5 ? -1 : 1);
      assert.equal(parseGoDuration(formatGoDuration(milliseconds)), milliseconds === 0 ? 0 : milliseconds);
    }
  });
});
