import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTextTable } from './text-table.ts';

test('words stand to the left, numbers to the right, and nothing trails', () => {
  const table = renderTextTable(
    [
      { heading: 'what', align: 'left' },
      { heading: 'time', align: 'right' },
      { heading: 'verdict', align: 'left' },
    ],
    [
      ['short', '1.5 s', 'met'],
      ['a long name', '10.25 s', ''],
    ],
  );
  assert.equal(table, ['what            time  verdict', 'short          1.5 s  met', 'a long name  10.25 s'].join('\n'));
});
