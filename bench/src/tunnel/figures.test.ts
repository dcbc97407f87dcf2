import assert from 'node:assert/strict';
import { test } from 'node:test';
import { names, renderRows, summarizeSamples } from './figures.ts';

test('figures of all rounds become one row each, beside the goal', () => {
  const rows = summarizeSamples([
    { what: names.down, unit: 'MB/s', value: 490 },
    { what: `${names.idle}, p50`, unit: 'ms', value: 0.0621 },
    { what: `${names.idle}, p99`, unit: 'ms', value: 0.2 },
    { what: names.down, unit: 'MB/s', value: 480 },
    { what: `${names.idle}, p50`, unit: 'ms', value: 0.07 },
  ]);
  assert.equal(
    renderRows(rows),
    [
      'figure                        median    min    max  goal',
      'one stream, node to server  485 MB/s    480    490  at least 500 MB/s: not met',
      'small request, idle, p50    0.066 ms  0.062  0.070  at most 0.15 ms: met',
      'small request, idle, p99    0.200 ms  0.200  0.200',
    ].join('\n'),
  );
});
