import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { whileUnchanged } from './file-cache.ts';

it('reads a file once for as long as it is the same, looks once in a turn, and sees a change in the next', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rfo-file-cache-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ca.crt');
  let reads = 0;
  const read = whileUnchanged([file], () => {
    reads++;
    return readFileSync(file, 'utf8');
  });
  assert.throws(read, { code: 'ENOENT' });
  writeFileSync(file, 'one');
  assert.equal(read(), 'one');
  writeFileSync(file, 'other');
  assert.equal(read(), 'one', 'the same turn');
  await nextTurn();
  assert.equal(read(), 'other');
  await nextTurn();
  assert.equal(read(), 'other');
  assert.equal(reads, 2);
  await nextTurn();
  rmSync(file);
  assert.throws(read, { code: 'ENOENT' });
  assert.throws(read, { code: 'ENOENT' }, 'nothing is remembered in the place of what is gone');
});
