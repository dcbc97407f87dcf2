import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAttemptCounts, memory, who } from './attempt-counts.ts';

const start = 1_700_000_000_000;
const minute = 60_000;

function fail(counts: ReturnType<typeof createAttemptCounts>, key: ReturnType<typeof who>, times: number, now = start): void {
  for (let time = 0; time < times; time++) {
    counts.begin(key);
    counts.end(key, 'failed', now);
  }
}

test('five failures of a user cost nothing, then the wait doubles from a minute to a quarter of an hour', () => {
  const counts = createAttemptCounts();
  const waits: number[] = [];
  let now = start;
  for (let failure = 1; failure <= 11; failure++) {
    fail(counts, who('ann', `10.0.0.${failure}`), 1, now);
    const wait = counts.wait(who('ann', '10.0.1.1'), now);
    waits.push(wait / minute);
    now += wait;
  }
  assert.deepEqual(waits, [0, 0, 0, 0, 1, 2, 4, 8, 15, 15, 15]);
  assert.equal(counts.wait(who('bob', '10.0.0.1'), now), 0);
});

test('an address may fail fifty times, whatever users it names, and a whole IPv6 network counts as one', () => {
  const counts = createAttemptCounts();
  for (let number = 0; number < 50; number++) fail(counts, who(`user-${number}`, `2001:db8::${number.toString(16)}`), 1);
  assert.equal(counts.wait(who('ann', '2001:0db8:0:0:ffff::1'), start), minute);
  assert.equal(counts.wait(who('ann', '2001:db8:0:1::1'), start), 0);
  const mapped = createAttemptCounts();
  for (let number = 0; number < 50; number++) fail(mapped, who(`user-${number}`, `::ffff:10.0.0.1`), 1);
  assert.equal(mapped.wait(who('ann', '10.0.0.1'), start), minute);
});

test('a success wipes out the failures of the user, not those of the address', () => {
  const counts = createAttemptCounts();
  fail(counts, who('ann', '10.0.0.1'), 49);
  counts.begin(who('ann', '10.0.0.1'));
  counts.end(who('ann', '10.0.0.1'), 'succeeded', start + 1);
  assert.equal(counts.wait(who('ann', '10.0.0.2'), start + 1), 0);
  fail(counts, who('bob', '10.0.0.1'), 1, start + 2);
  assert.ok(counts.wait(who('cid', '10.0.0.1'), start + 2) > 0);
});

test('failures are forgotten half an hour after the last', () => {
  const counts = createAttemptCounts();
  fail(counts, who('ann', '10.0.0.1'), 5);
  fail(counts, who('ann', '10.0.0.1'), 1, start + memory);
  assert.equal(counts.wait(who('ann', '10.0.0.1'), start + memory), 0);
  assert.equal(counts.own(start + memory).size, 2);
  assert.equal(counts.own(start + 2 * memory).size, 0);
});

test('what replicas have counted is added up, and pardoned by any of them', () => {
  const [one, other] = [createAttemptCounts(), createAttemptCounts()];
  const share = (now: number): void => {
    one.setOther('other', other.own(now));
    other.setOther('one', one.own(now));
  };
  const ann = who('ann', '10.0.0.1');
  fail(one, ann, 3);
  fail(other, ann, 2);
  assert.equal(one.wait(ann, start), 0);
  share(start);
  assert.equal(one.wait(ann, start), minute);
  assert.equal(other.wait(ann, start), minute);
  other.clear(ann.user, start + 1);
  share(start + 1);
  assert.equal(one.wait(ann, start + 1), 0);
  fail(one, ann, 4, start + 2);
  share(start + 2);
  assert.equal(other.wait(ann, start + 2), 0);
  fail(one, ann, 1, start + 3);
  share(start + 3);
  assert.equal(other.wait(ann, start + 3), minute);
  other.setOther('one', undefined);
  assert.equal(other.wait(ann, start + 3), 0);
});

test('a replica whose clock is ahead locks nobody out for longer', () => {
  const [one, ahead] = [createAttemptCounts(), createAttemptCounts()];
  fail(ahead, who('ann', '10.0.0.1'), 5, start + 10 * memory);
  one.setOther('ahead', ahead.own(start + 10 * memory));
  assert.equal(one.wait(who('ann', '10.0.0.1'), start), minute);
});

test('attempts that are under way count, and those given up do not', () => {
  const counts = createAttemptCounts();
  const ann = who('ann', '10.0.0.1');
  for (let attempt = 0; attempt < 5; attempt++) counts.begin(ann);
  assert.ok(counts.wait(ann, start) > 0);
  counts.end(ann, 'given-up', start);
  assert.equal(counts.wait(ann, start), 0);
});

test('a flood of names that fail once pushes out no user who is locked out, neither here nor in what is shared', () => {
  const counts = createAttemptCounts();
  const ann = who('ann', '10.0.0.1');
  fail(counts, ann, 5);
  for (let number = 0; number < 25_000; number++) fail(counts, who(`user-${number}`, `10.1.${number >> 8}.${number & 255}`), 1, start + 1);
  assert.ok(counts.wait(ann, start + 2) > 0);
  const shared = counts.own(start + 2);
  assert.equal(shared.size, 500);
  assert.equal(shared.get(ann.user)?.failures, 5);
});

test('names are not in what is shared', () => {
  const counts = createAttemptCounts();
  fail(counts, who('my-typed-password', '10.0.0.1'), 1);
  for (const key of counts.own(start).keys()) assert.match(key, /^[ua][0-9a-f]{16}$/);
});

test('whatever happens, an attempt is allowed again after a quarter of an hour of peace', () => {
  const step = fc.record({
    how: fc.constantFrom('failed', 'succeeded', 'given-up'),
    pause: fc.nat(20 * minute),
    user: fc.nat(2),
    address: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const counts = createAttemptCounts();
      let now = start;
      for (const { how, pause, user, address } of steps) {
        now += pause;
        const key = who(`user-${user}`, `10.0.0.${address}`);
        counts.begin(key);
        counts.end(key, how as 'failed', now);
      }
      for (const user of [0, 1, 2]) assert.ok(counts.wait(who(`user-${user}`, '10.0.0.0'), now + 15 * minute) === 0);
    }),
    { numRuns: 200 },
  );
});
