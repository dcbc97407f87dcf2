import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scatter, summarize } from './statistics.ts';

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
