import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkQueue } from './work-queue.ts';

describe('a work queue', () => {
  it('gives a key once, however often it was added before', async () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'a']) queue.add(key);
    assert.deepEqual([await queue.next(), await queue.next()], ['a', 'b']);
    assert.equal(queue.size, 2);
  });

  it('gives a key that was added while it was worked on once more, and not before', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.next();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    assert.equal(await queue.next(), 'b');
    queue.done('a');
    assert.equal(await queue.next(), 'a');
    queue.done('a');
    queue.done('b');
    assert.equal(queue.size, 0);
  });

  it('hands a key to whoever already waits', async () => {
    const queue = new WorkQueue();
    const [one, two] = [queue.next(), queue.next()];
    queue.add('a');
    queue.add('b');
    assert.deepEqual([await one, await two], ['a', 'b']);
  });

  it('waits longer with each retry of a key, until it is forgotten', (t) => {
    t.mock.method(Math, 'random', () => 0);
    const queue = new WorkQueue({ initial: 100, max: 300 });
    assert.deepEqual([queue.retry('a'), queue.retry('a'), queue.retry('a'), queue.retry('b')], [100, 200, 300, 100]);
    queue.forget('a');
    assert.equal(queue.retry('a'), 100);
    queue.close();
  });

  it('gives a delayed key in time, or earlier when it is added', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const queue = new WorkQueue();
    queue.addAfter('late', 1000);
    queue.addAfter('early', 1000);
    queue.add('early');
    assert.equal(await queue.next(), 'early');
    const next = queue.next();
    t.mock.timers.tick(1000);
    assert.equal(await next, 'late');
    queue.done('early');
    assert.equal(queue.size, 1);
  });

  it('ends all waiting when it is closed', async () => {
    const queue = new WorkQueue();
    const next = queue.next();
    queue.close();
    assert.equal(await next, undefined);
    queue.add('a');
    assert.equal(await queue.next(), undefined);
  });
});
