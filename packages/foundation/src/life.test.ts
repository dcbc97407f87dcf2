import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Life } from './life.ts';

test('undoes what was deferred, the last first, after its signal aborted', async () => {
  const life = new Life();
  const order: string[] = [];
  life.signal.addEventListener('abort', () => order.push('aborted'));
  life.defer(() => order.push('first'));
  life.defer(async () => void order.push('second'));
  await life.end();
  assert.deepEqual(order, ['aborted', 'second', 'first']);
});

test('ends its children before what was deferred earlier', async () => {
  const parent = new Life();
  const order: string[] = [];
  parent.defer(() => order.push('parent'));
  parent.child().defer(() => order.push('child'));
  await parent.end();
  assert.deepEqual(order, ['child', 'parent']);
});

test('a child that ended by itself leaves its parent alone', async () => {
  const parent = new Life();
  const child = parent.child();
  await child.end();
  assert.equal(parent.signal.aborted, false);
  await parent.end();
});

test('a child of an ended life is ended from the start', async () => {
  const parent = new Life();
  await parent.end();
  assert.equal(parent.child().signal.aborted, true);
});

test('ends once, with the first reason, however often it is asked', async () => {
  const life = new Life();
  let times = 0;
  life.defer(() => times++);
  const reason = new Error('why');
  await Promise.all([life.end(reason), life.end(new Error('later'))]);
  assert.equal(times, 1);
  assert.equal(life.signal.reason, reason);
});

test('one failing undo does not keep the others from running, and is told', async () => {
  const life = new Life();
  let undone = false;
  life.defer(() => {
    undone = true;
  });
  life.defer(() => {
    throw new Error('stuck');
  });
  await assert.rejects(life.end(), (error: AggregateError) => error.errors[0].message === 'stuck');
  assert.equal(undone, true);
});

test('what is deferred too late is undone at once', async () => {
  const life = new Life();
  await life.end();
  let undone = false;
  life.defer(() => {
    undone = true;
  });
  assert.equal(undone, true);
});
