import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { rotateLog, rotateLogs } from './rotate-log.ts';
import { startProcess } from './start-process.ts';
import { scratch } from './test-support.ts';
import { waitForFile } from './wait-for-file.ts';

test('the log of a running writer is moved whole, and the writer goes on at the start of the empty file', async (t) => {
  const { folder, spec } = await scratch(t);
  const wanted = spec(`seq 1 1000; echo > ${folder}/half; read go < ${folder}/go; seq 1001 2000; echo > ${folder}/done; exec sleep 100`);
  execFileSync('mkfifo', [`${folder}/go`]);
  await startProcess(wanted, silentLog);
  await waitForFile(`${folder}/half`, { signal: t.signal });
  assert.equal(await rotateLog(wanted.logFile, { maxBytes: 1000 }), true);
  await writeFile(`${folder}/go`, 'go\n');
  await waitForFile(`${folder}/done`, { signal: t.signal });
  const numbers = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, at) => `${from + at}\n`).join('');
  assert.equal(await readFile(`${wanted.logFile}.1`, 'utf8'), numbers(1, 1000));
  assert.equal(await readFile(wanted.logFile, 'utf8'), numbers(1001, 2000));
});

test('a writer that does not pause has at most one line cut at each seam and leaves no hole', async (t) => {
  const { folder, spec } = await scratch(t);
  const wanted = spec(`i=0; until [ -e ${folder}/enough ]; do i=$((i+1)); echo "line $i."; done; echo > ${folder}/done; exec sleep 100`);
  await startProcess(wanted, silentLog);
  for (let rotations = 0; rotations < 3; ) if (await rotateLog(wanted.logFile, { maxBytes: 30_000 })) rotations++;
  await writeFile(`${folder}/enough`, '');
  await waitForFile(`${folder}/done`, { signal: t.signal });
  const files = ['.3', '.2', '.1', ''].map((end) => readFile(`${wanted.logFile}${end}`, 'utf8'));
  const text = (await Promise.all(files)).join('');
  assert.equal(text.includes('\0'), false, 'a hole');
  const found = text
    .trimEnd()
    .split('\n')
    .map((line) => /^line (\d+)\.$/.exec(line)?.[1]);
  assert.ok(found.filter((number) => number === undefined).length <= 3, 'more cut lines than seams');
  const numbers = found.flatMap((number) => (number === undefined ? [] : [Number(number)]));
  assert.ok(
    numbers.every((number, at) => number > (numbers[at - 1] ?? 0)),
    'out of order',
  );
});

test('a small log is left alone, and of the old ones only so many are kept', async (t) => {
  const { folder } = await scratch(t);
  const file = `${folder}/a.log`;
  assert.equal(await rotateLog(file), false);
  await writeFile(file, '0');
  assert.equal(await rotateLog(file, { maxBytes: 1 }), false);
  for (const content of ['first', 'second', 'third', 'fourth']) {
    await writeFile(file, content);
    await rotateLog(file, { maxBytes: 1, keep: 2 });
  }
  assert.deepEqual(await Promise.all([file, `${file}.1`, `${file}.2`].map((name) => readFile(name, 'utf8'))), ['', 'fourth', 'third']);
  assert.equal(existsSync(`${file}.3`), false);
});

test('logs are looked after every 10 s until the life ends', async (t) => {
  const { folder } = await scratch(t);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const life = new Life();
  const file = `${folder}/a.log`;
  await writeFile(file, 'old content');
  let rounds = 0;
  const files = (): string[] => {
    rounds++;
    return [file];
  };
  rotateLogs({ files, life, log: silentLog, limits: { maxBytes: 5 } });
  t.mock.timers.tick(10_000);
  await life.end();
  assert.deepEqual([await readFile(file, 'utf8'), await readFile(`${file}.1`, 'utf8')], ['', 'old content']);
  t.mock.timers.tick(20_000);
  assert.equal(rounds, 1);
});
