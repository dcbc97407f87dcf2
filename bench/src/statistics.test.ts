import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile, scatter, summarize } from './statistics.ts';

test('the median of an odd number of values is the one in the middle', () => {
  assert.deepEqual(summarize([5, 1, 3]), { median: 3, min: 1, max: 5, count: 3 });
});

test('the median of an even number of values is the mean of the two in the middle', () => {
  assert.deepEqual(summarize([10, 4, 2, 6]), { median: 5, min: 2, max: 10, count: 4 });
});

test('values are ordered as numbers, and one value is its own median', () => {
  assert.equal(summarize([9, 10, 100])?.median, 10);
  assert.deepEqual(summarize([7]), { median: 7, min: 7, max: 7, count: 1 });
});

test('no values have no summary', () => {
  assert.equal(summarize([]), undefined);
});

test('the scatter is the ratio of the largest to the smallest', () => {
  assert.equal(scatter({ median: 3, min: 2, max: 5, count: 3 }), 2.5);
});

test('a percentile is the value that so large a share lies below, and there is none of nothing', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.deepEqual([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)], [51, 100, 100]);
  assert.equal(percentile([7], 0.99), 7);
  assert.equal(percentile([], 0.5), Number.NaN);
});
