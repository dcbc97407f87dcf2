import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitRate } from './limit-rate.ts';

test('what is limited may be done in a burst, and then as often as time passes', () => {
  let now = 0;
  const may = limitRate({ burst: 3, perSecond: 2, clock: { now: () => now } });
  const count = (): number => Array.from({ length: 10 }, may).filter(Boolean).length;
  assert.equal(count(), 3);
  now = 1000;
  assert.equal(count(), 2);
  now = 60_000;
  assert.equal(count(), 3);
  now = 0;
  assert.equal(count(), 0);
});
