import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { followersOf } from './followers.ts';

test('controllers abort with the signal that they follow, for its reason, those that come later at once', () => {
  const source = new AbortController();
  const followers = followersOf(source.signal);
  const early = [followers.add(), followers.add()];
  assert.deepEqual(
    early.map(({ signal }) => signal.aborted),
    [false, false],
  );
  const reason = new Error('enough');
  source.abort(reason);
  for (const { signal } of [...early, followers.add(), followersOf(source.signal).add()]) assert.equal(signal.reason, reason);
});

test('one that aborts for itself leaves the signal and the others alone', () => {
  const source = new AbortController();
  const followers = followersOf(source.signal);
  const [one, other] = [followers.add(), followers.add()];
  one.abort();
  assert.deepEqual([source.signal.aborted, other.signal.aborted], [false, false]);
});

test('one that is released follows no more, and however many follow, the signal has one listener', () => {
  const source = new AbortController();
  const followers = followersOf(source.signal);
  const all = Array.from({ length: 100 }, followers.add);
  assert.equal(getEventListeners(source.signal, 'abort').length, 1);
  const [released, ...kept] = all;
  if (released !== undefined) followers.release(released);
  source.abort();
  assert.equal(released?.signal.aborted, false);
  assert.ok(kept.every(({ signal }) => signal.aborted));
  assert.equal(getEventListeners(source.signal, 'abort').length, 0);
});

test('nothing stays with the signal after they have ended', () => {
  const source = new AbortController();
  const followers = followersOf(source.signal);
  const controller = followers.add();
  followers.end();
  assert.equal(getEventListeners(source.signal, 'abort').length, 0);
  source.abort();
  assert.equal(controller.signal.aborted, false);
});
