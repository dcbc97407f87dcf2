import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readFileIfExists, writeFileAtomic, writeFileIfChanged } from './files.ts';

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'rfo-files-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

test('writes a file with its mode, makes its folders for root alone, and leaves nothing beside it', async (t) => {
  const dir = await folder(t);
  const path = join(dir, 'deep', 'secret');
  await writeFileAtomic(path, 'x', 0o600);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(dir, 'deep'))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(dir, 'deep')), ['secret']);
});

test('a reader sees the old content or the new, never half', async (t) => {
  const path = join(await folder(t), 'file');
  const contents = ['a'.repeat(1 << 20), 'b'.repeat(1 << 20)] as const;
  await writeFileAtomic(path, contents[0], 0o644);
  let writing = true;
  const write = async (): Promise<void> => {
    for (let round = 0; round < 10; round++) await writeFileAtomic(path, contents[(round + 1) % 2] ?? '', 0o644);
    writing = false;
  };
  const read = async (): Promise<void> => {
    while (writing) assert.ok(contents.includes((await readFile(path, 'utf8')) as never), 'read half a file');
  };
  await Promise.all([write(), read()]);
});

test('a failed write removes its temporary file', async (t) => {
  const dir = await folder(t);
  await mkdir(join(dir, 'taken', 'full'), { recursive: true });
  await assert.rejects(writeFileAtomic(join(dir, 'taken'), 'x', 0o600));
  assert.deepEqual(await readdir(dir), ['taken']);
});

test('unchanged content is not written again', async (t) => {
  const path = join(await folder(t), 'file');
  assert.equal(await writeFileIfChanged(path, 'one', 0o600), true);
  const { ino } = await stat(path);
  assert.equal(await writeFileIfChanged(path, 'one', 0o600), false);
  assert.equal((await stat(path)).ino, ino);
  assert.equal(await writeFileIfChanged(path, 'two', 0o600), true);
});

test('a file that is not there reads as undefined, a folder in its place is an error', async (t) => {
  const dir = await folder(t);
  assert.equal(await readFileIfExists(join(dir, 'none')), undefined);
  await assert.rejects(readFileIfExists(dir), { code: 'EISDIR' });
});
