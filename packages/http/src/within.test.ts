import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { within } from './within.ts';

const bounds = { what: 'the work', milliseconds: 90_000 };
const never = <T>(): Promise<T> => new Promise(() => undefined);

test('work that ends in time is answered, or fails as it does, and leaves nothing on the signal', async () => {
  const { signal } = new AbortController();
  const kept: AbortSignal[] = [];
  const done = async (ending: AbortSignal): Promise<string> => {
    kept.push(ending);
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    return 'done';
  };
  assert.equal(await within(done, { ...bounds, signal }), 'done');
  const broken = new Error('broken');
  await assert.rejects(
    within(() => Promise.reject(broken), { ...bounds, signal }),
    (error) => error === broken,
  );
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(kept[0]?.aborted, false);
});

test('work that does not listen is given up when its time is over, or when the signal says so', async () => {
  const stop = new AbortController();
  await assert.rejects(within(never, { ...bounds, milliseconds: 1, signal: stop.signal }), { code: 'timeout' });
  const reason = new Error('enough');
  const given = within(never, { ...bounds, signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(given, (error) => error === reason);
  await assert.rejects(within(never, { ...bounds, signal: stop.signal }), (error) => error === reason);
});

test('the work is told what ended it', async () => {
  const stop = new AbortController();
  const told: unknown[] = [];
  const listen = (ending: AbortSignal): Promise<never> => {
    ending.addEventListener('abort', () => told.push(ending.reason));
    return never();
  };
  const reason = new Error('enough');
  const given = within(listen, { ...bounds, signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(given, (error) => error === reason);
  assert.deepEqual(told, [reason]);
});
