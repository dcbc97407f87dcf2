import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@rfo/foundation';
import { adoptProcess } from './adopt-process.ts';
import { hashSpec } from './hash.ts';
import { identify } from './identity.ts';
import { recordOf, writeRecord } from './record.ts';
import type { ProcessSpec } from './spec.ts';
import { startProcess } from './start-process.ts';
import { stopProcess } from './stop-process.ts';
import { scratch } from './test-support.ts';
import { whenAborted } from './when-aborted.ts';

/** Another rfo: starts the process, says its number, and is killed without warning. */
async function startedByOneWhoIsKilled(spec: ProcessSpec): Promise<number> {
  const source = (name: string): string => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const script = `
    const { startProcess } = await import(${source('./start-process.ts')});
    const { silentLog } = await import('@rfo/foundation');
    const started = await startProcess(${JSON.stringify(spec)}, silentLog);
    console.log(started.pid);
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await once(other.stdout, 'data');
  other.kill('SIGKILL');
  await once(other, 'exit');
  return Number(output);
}

test('a process outlives the kill of its rfo and is adopted, watched and stopped by the next', async (t) => {
  const { spec } = await scratch(t);
  const wanted = spec('exec sleep 100');
  const pid = await startedByOneWhoIsKilled(wanted);
  const adoption = await adoptProcess(wanted);
  assert.equal(adoption.kind, 'adopted');
  assert.deepEqual([adoption.process.pid, adoption.process.adopted], [pid, true]);
  process.kill(pid, 'SIGKILL');
  await whenAborted(adoption.process.gone);
  assert.equal(adoption.process.gone.reason.code, 'process-failed');
  assert.equal(adoption.process.kill('SIGTERM'), false);
  assert.equal((await adoptProcess(wanted)).kind, 'none');
});

test('other arguments, environment, files or another binary mean: changed, and it can be stopped', async (t) => {
  const { folder, spec } = await scratch(t);
  const path = join(folder, 'sleep');
  await copyFile('/bin/sleep', path);
  const wanted = spec('', { path, args: ['100'], inputsHash: 'one' });
  const pid = (await startProcess(wanted, silentLog)).pid;
  const kindOf = async (change: Partial<ProcessSpec>): Promise<string> => {
    const adoption = await adoptProcess({ ...wanted, ...change });
    if (adoption.kind !== 'none') adoption.process.forget();
    return adoption.kind;
  };
  assert.equal(await kindOf({ logFile: join(folder, 'other.log'), stopGrace: 1 }), 'adopted');
  assert.equal(await kindOf({ args: ['101'] }), 'changed');
  assert.equal(await kindOf({ env: { A: 'b' } }), 'changed');
  assert.equal(await kindOf({ inputsHash: 'two' }), 'changed');
  await utimes(path, 1, 1);
  const adoption = await adoptProcess(wanted);
  assert.equal(adoption.kind, 'changed');
  await stopProcess(adoption.process, wanted, silentLog);
  assert.equal(identify(pid), undefined);
});

test('another process with the recorded number is not adopted', async (t) => {
  const { spec } = await scratch(t);
  const wanted = spec('exec sleep 100');
  const own = identify(process.pid);
  assert.ok(own);
  writeRecord(wanted.recordFile.replace('processes/', ''), recordOf(wanted, await hashSpec(wanted), { ...own, startTime: '1' }));
  const moved = { ...wanted, recordFile: wanted.recordFile.replace('processes/', '') };
  assert.equal((await adoptProcess(moved)).kind, 'none');
});

test('a process whose rfo was killed between its start and its record is found by its command line', async (t) => {
  const { spec } = await scratch(t);
  const wanted = spec('', { path: '/bin/sleep', args: ['100.0625'] });
  const started = await startProcess(wanted, silentLog);
  writeRecord(wanted.recordFile, recordOf(wanted, await hashSpec(wanted)));
  const adoption = await adoptProcess(wanted);
  assert.equal(adoption.kind, 'adopted');
  assert.equal(adoption.process.pid, started.pid);
  await stopProcess(adoption.process, wanted, silentLog);
});
