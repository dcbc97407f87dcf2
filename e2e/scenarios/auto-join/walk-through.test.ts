import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWalkThrough } from './walk-through.ts';

test('every command of the walk-through says on which host, and both languages have the same', async () => {
  const english = await readWalkThrough('auto-join.md');
  const chinese = await readWalkThrough('auto-join.zh-CN.md');
  assert.ok(english.length >= 10);
  const plain = (blocks: typeof english) => blocks.map(({ kind, host, text }) => ({ kind, host, text }));
  assert.deepEqual(plain(chinese), plain(english));
  assert.deepEqual([...new Set(english.map(({ host }) => host))].sort(), ['control', 'worker-1', 'worker-2']);
});
