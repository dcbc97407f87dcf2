import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReadySince, startOf } from './node-ready.ts';

const started = Date.parse('2026-11-22T10:00:00.700Z');
const node = (status: string, lastHeartbeatTime?: string) => ({
  status: {
    conditions: [
      { type: 'DiskPressure', status: 'False' },
      { type: 'Ready', status, ...(lastHeartbeatTime && { lastHeartbeatTime }) },
    ],
  },
});

test('a Node is Ready by what its kubelet has said since it started', () => {
  assert.equal(isReadySince(node('True', '2026-11-22T10:00:00Z'), started), true);
  assert.equal(isReadySince(node('True', '2026-11-22T10:04:00Z'), started), true);
});

test('and not by what an earlier one has said, nor by nothing, nor when it is not', () => {
  assert.equal(isReadySince(node('True', '2026-11-22T09:59:59Z'), started), false);
  assert.equal(isReadySince(node('True'), started), false);
  assert.equal(isReadySince(node('False', '2026-11-22T10:00:01Z'), started), false);
  assert.equal(isReadySince(node('Unknown', '2026-11-22T10:00:01Z'), started), false);
  assert.equal(isReadySince({}, started), false);
});

test('a process started as long after the boot as its record says', () => {
  const booted = Math.floor(started / 1000) - 600;
  assert.equal(startOf({ pid: 1, startTime: '60070' }, `cpu 1 2 3\nctxt 4\nbtime ${booted}\nprocesses 5\n`), started);
});
