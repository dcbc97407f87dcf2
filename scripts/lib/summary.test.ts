import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderSummary } from './summary.ts';

test('the summary is a row a phase and ends with the sums', () => {
  const text = renderSummary([
    { name: 'checks', passed: 7, failed: 0, ms: 4321 },
    { name: 'unit tests', passed: 120, failed: 2, ms: 61_000, note: '3 skipped' },
  ]);
  assert.equal(
    text,
    [
      '✔ checks                  7 passed     0 failed    4.3 s',
      '✘ unit tests            120 passed     2 failed   61.0 s  3 skipped',
      '  in all 65.3 s',
      '127 passed, 2 failed',
    ].join('\n'),
  );
});
