import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Backoff, retry } from './backoff.ts';
import { orAbort, sleep } from './time.ts';

test('a sleep ends with the reason of its signal', async () => {
  const stop = new AbortController();
  const sleeping = sleep(1e6, stop.signal);
  const reason = new Error('enough');
  stop.abort(reason);
  await assert.rejects(sleeping, (error) => error === reason);
});

test('a promise is given up with the reason of the signal, and its own later failure is nobody’s', async () => {
  const stop = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = orAbort(promise, stop.signal);
  const reason = new Error('enough');
  stop.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  const late = orAbort(promise, stop.signal);
  await assert.rejects(late, (error) => error === reason);
  reject(new Error('late'));
});

test('delays grow to their limit, each shortened by no more than the jitter, and start anew after a reset', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1000, max: 60_000 }), (initial, max) => {
      const backoff = new Backoff({ initial, max });
      for (let full = initial, round = 0; round < 20; round++, full = Math.min(full * 2, max)) {
        const delay = backoff.next();
        assert.ok(delay <= full && delay >= full * 0.7 - 1e-9, `${delay} is not within 30 % of ${full}`);
      }
      backoff.reset();
      assert.ok(backoff.next() <= initial);
    }),
  );
});

test('an attempt is repeated until it succeeds, every failure being heard', async () => {
  const heard: string[] = [];
  let left = 3;
  const result = await retry(
    async () => {
      if (--left > 0) throw new Error(`${left} left`);
      return 'done';
    },
    { initial: 1, max: 1, signal: new AbortController().signal, onError: (error) => heard.push(String(error)) },
  );
  assert.equal(result, 'done');
  assert.deepEqual(heard, ['Error: 2 left', 'Error: 1 left']);
});

test('onError may give up', async () => {
  const final = new Error('final');
  const attempt = (): Promise<never> => Promise.reject(final);
  const onError = (error: unknown): never => {
    throw error;
  };
  await assert.rejects(retry(attempt, { initial: 1, max: 1, signal: new AbortController().signal, onError }), (error) => error === final);
});
