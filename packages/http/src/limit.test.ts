import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RfoError } from '@rfo/foundation';
import { createLimit } from './limit.ts';

const { signal } = new AbortController();
const overloaded = (error: unknown): boolean => error instanceof RfoError && error.code === 'server-overloaded';

it('does so much at once and the rest in the order of arrival', async () => {
  const limit = createLimit({ inFlight: 2, waiting: 10, patience: 30_000 });
  const started: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const done = ends.map(({ promise }, index) =>
    limit(() => {
      started.push(index);
      return promise;
    }, signal),
  );
  await Promise.resolve();
  assert.deepEqual(started, [0, 1]);
  ends[1]?.resolve();
  await done[1];
  assert.deepEqual(started, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await Promise.all(done);
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
});

it('refuses what comes when enough waits, and what has waited too long', async () => {
  const limit = createLimit({ inFlight: 1, waiting: 1, patience: 20 });
  const running = Promise.withResolvers<void>();
  const first = limit(() => running.promise, signal);
  const waiting = limit(async () => 'never', signal);
  await assert.rejects(
    limit(async () => 'never', signal),
    overloaded,
  );
  await assert.rejects(waiting, overloaded);
  running.resolve();
  await first;
  assert.equal(await limit(async () => 'now', signal), 'now');
});

it('lets go of who no longer waits, and of a place whose work failed', async () => {
  const limit = createLimit({ inFlight: 1, waiting: 5, patience: 30_000 });
  const running = Promise.withResolvers<void>();
  const first = limit(() => running.promise, signal);
  const gone = new AbortController();
  const waiting = limit(async () => 'never', gone.signal);
  gone.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  running.reject(new Error('broken'));
  await assert.rejects(first, /broken/);
  assert.equal(await limit(async () => 'now', signal), 'now');
});

it('waits without an end and refuses in its own words where it is told so', async () => {
  const busy = new Error('busy');
  const limit = createLimit({ inFlight: 1, waiting: 1, refusal: () => busy });
  const running = Promise.withResolvers<void>();
  const first = limit(() => running.promise);
  const waiting = limit(async () => 'after it');
  await assert.rejects(
    limit(async () => 'never'),
    (error) => error === busy,
  );
  running.resolve();
  await first;
  assert.equal(await waiting, 'after it');
});
