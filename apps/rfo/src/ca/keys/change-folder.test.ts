import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { changeFolder, completeChange, contentsOf } from './change-folder.ts';

function place() {
  const dir = mkdtempSync(join(tmpdir(), 'rfo-change-'));
  return { dir, at: (name: string) => join(dir, name), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

test('files of a change are there together, closed to others, and what is to go is gone', async () => {
  using made = place();
  writeFileSync(made.at('old'), 'x');
  await changeFolder(made.dir, {
    files: new Map<string, string | Buffer>([
      ['a', 'one'],
      ['deep/b', Buffer.from('two')],
    ]),
    remove: ['old', 'never'],
  });
  assert.deepEqual(readdirSync(made.dir, { recursive: true }).sort(), ['a', 'deep', 'deep/b']);
  assert.equal(readFileSync(made.at('deep/b'), 'utf8'), 'two');
  assert.deepEqual([statSync(made.at('a')).mode & 0o777, statSync(made.at('deep')).mode & 0o777], [0o600, 0o700]);
});

test('a change that was decided is finished by whoever comes next; one that was not never happened', async () => {
  using made = place();
  mkdirSync(made.at('.change/files'), { recursive: true });
  writeFileSync(made.at('.change/files/a'), 'new');
  writeFileSync(made.at('.change/remove.json'), '["b"]');
  writeFileSync(made.at('a'), 'old');
  writeFileSync(made.at('b'), 'old');
  mkdirSync(made.at('.change-draft-1/files'), { recursive: true });
  writeFileSync(made.at('.change-draft-1/files/a'), 'draft');
  utimesSync(made.at('.change-draft-1'), 1, 1);
  await Promise.all([completeChange(made.dir), completeChange(made.dir)]);
  assert.deepEqual(readdirSync(made.dir), ['a']);
  assert.equal(readFileSync(made.at('a'), 'utf8'), 'new');
  assert.deepEqual(await contentsOf(made.dir), ['a']);
});

test('a folder that cannot be written to keeps what it has', async () => {
  using made = place();
  writeFileSync(made.at('a'), 'old');
  await assert.rejects(changeFolder(made.at('a'), { files: new Map([['x', 'y']]) }), { code: 'ca-unwritable' });
  assert.equal(readFileSync(made.at('a'), 'utf8'), 'old');
});

test('a process that dies in the middle leaves all of its change or nothing', async () => {
  using made = place();
  const names = Array.from({ length: 8 }, (_, at) => `file-${at}`);
  const program = `
    const { changeFolder } = await import(${JSON.stringify(join(import.meta.dirname, 'change-folder.ts'))});
    for (let round = 1; ; round++) {
      await changeFolder(${JSON.stringify(made.dir)}, { files: new Map(${JSON.stringify(names)}.map((name) => [name, String(round)])) });
      console.log(round);
    }`;
  for (const part of [0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95]) {
    const options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
    const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const began = performance.now();
    await once(child.stdout, 'data');
    // Now as far into the third change as the second one tells.
    await delay((performance.now() - began) * part);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await completeChange(made.dir);
    const contents = new Set(names.map((name) => readFileSync(made.at(name), 'utf8')));
    assert.equal(contents.size, 1, `files of different changes: ${[...contents].join(', ')}`);
    for (const content of contents) assert.ok(Number(content) >= 2, `a change that was done is gone: ${content}`);
  }
});
