import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestGap } from './acked-writes.ts';

test('the longest gap counts what is open at both ends, and nothing outside', () => {
  assert.equal(longestGap([100, 110, 150, 160], { from: 100, to: 165 }), 40);
  assert.equal(longestGap([150, 110], { from: 0, to: 155 }), 110);
  assert.equal(longestGap([10, 20], { from: 15, to: 100 }), 80);
  assert.equal(longestGap([1, 500], { from: 100, to: 300 }), 200);
  assert.equal(longestGap([], { from: 7, to: 10 }), 3);
});
