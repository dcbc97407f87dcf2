import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Log, RfoError, silentLog } from '@rfo/foundation';
import { identify } from './identity.ts';
import { listRecords, readRecord } from './record.ts';
import { startProcess } from './start-process.ts';
import { stopNamed, stopProcess, stopUnlisted } from './stop-process.ts';
import { scratch } from './test-support.ts';
import { waitForFile } from './wait-for-file.ts';
import { whenAborted } from './when-aborted.ts';

test('a process appends both outputs to its log, has its own session and only the given environment', async (t) => {
  const { spec } = await scratch(t);
  const wanted = spec('echo out; echo err >&2; cut -d" " -f5,6 /proc/self/stat; env | sort', { env: { A: '1', PATH: '/usr/bin:/bin' } });
  const process = await startProcess(wanted, silentLog);
  await whenAborted(process.gone);
  const [out, err, session, ...env] = (await readFile(wanted.logFile, 'utf8')).trim().split('\n');
  assert.deepEqual([out, err, session], ['out', 'err', `${process.pid} ${process.pid}`]);
  assert.deepEqual(
    env.filter((line) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line)),
    ['A=1', 'PATH=/usr/bin:/bin'],
  );
});

test('a running process is recorded with its identity, and the record goes when it is stopped', async (t) => {
  const { spec } = await scratch(t);
  const wanted = spec('exec sleep 100');
  const process = await startProcess(wanted, silentLog);
  assert.deepEqual(readRecord(wanted.recordFile)?.identity, identify(process.pid));
  assert.deepEqual(await stopProcess(process, wanted, silentLog), { killed: false });
  assert.equal(identify(process.pid), undefined);
  assert.equal(existsSync(wanted.recordFile), false);
});

test('the error of a process that ends by itself carries its status and its own last line, not one of an earlier run', async (t) => {
  const { spec } = await scratch(t);
  const first = await startProcess(spec('echo no more room; exit 3'), silentLog);
  await whenAborted(first.gone);
  assert.match(first.gone.reason.message, /^part ended with exit code 3 \(no more room\)\. Its log says why: .*part\.log\.$/);
  const second = await startProcess(spec('exit 4'), silentLog);
  await whenAborted(second.gone);
  assert.match(second.gone.reason.message, /^part ended with exit code 4\. /);
});

test('a program that does not exist is an error at once and leaves no record', async (t) => {
  const { spec } = await scratch(t);
  const missing = spec('', { path: '/nowhere/etcd' });
  await assert.rejects(
    startProcess(missing, silentLog),
    (error) => error instanceof RfoError && error.code === 'process-not-started' && /ENOENT/.test(error.message),
  );
  const forbidden = spec('', { path: '/etc/passwd' });
  await assert.rejects(
    startProcess(forbidden, silentLog),
    (error) => error instanceof RfoError && error.code === 'process-not-started' && /EACCES/.test(error.message),
  );
  assert.equal(existsSync(forbidden.recordFile), false);
});

test('a process that ignores the stop signal is killed after its grace', async (t) => {
  const { folder, spec } = await scratch(t);
  const wanted = spec(`trap "" TERM; echo > ${folder}/deaf; while :; do sleep 100; done`, { stopGrace: 50, stopScope: 'group' });
  const process = await startProcess(wanted, silentLog);
  await waitForFile(`${folder}/deaf`, { signal: t.signal });
  assert.deepEqual(await stopProcess(process, wanted, silentLog), { killed: true });
  assert.equal(identify(process.pid), undefined);
});

for (const [scope, survives] of [
  ['process', true],
  ['group', false],
] as const) {
  test(`stopping with scope ${scope} ${survives ? 'spares' : 'ends'} the children of the process`, async (t) => {
    const { folder, spec } = await scratch(t);
    // The child tells its own end through the pipe that its reader, a second process, holds.
    const wanted = spec(`sleep 100 & echo $! > ${folder}/child; wait`, { stopScope: scope });
    const process = await startProcess(wanted, silentLog);
    const text = await waitForFile(`${folder}/child`, { signal: t.signal, predicate: (found) => found.endsWith('\n') });
    const child = identify(Number(text));
    assert.ok(child);
    await stopProcess(process, wanted, silentLog);
    if (survives) {
      assert.deepEqual(identify(child.pid), child);
      globalThis.process.kill(child.pid, 'SIGKILL');
    } else {
      while (identify(child.pid) !== undefined) await new Promise(setImmediate);
    }
  });
}

test('processes are ended by their names in the order given, with the grace given', async (t) => {
  const { folder, spec } = await scratch(t);
  const script = (name: string, on: string): string =>
    `trap "echo ${name} >> ${folder}/ended; ${on}" TERM; echo > ${folder}/${name}.up; while :; do sleep 0.01; done`;
  const start = async (name: string, on = 'exit'): Promise<number> => {
    const { pid } = await startProcess(spec(script(name, on), { name, stopGrace: 60_000 }), silentLog);
    await waitForFile(`${folder}/${name}.up`, { signal: t.signal });
    return pid;
  };
  const [deaf, other, kept] = [await start('deaf', ':'), await start('other'), await start('kept')];
  const groups = [['deaf', 'unknown'], ['other']];
  await stopNamed({ folder: join(folder, 'processes'), groups, grace: 100, because: 'for the test', log: silentLog });
  assert.equal(await readFile(`${folder}/ended`, 'utf8'), 'deaf\nother\n');
  assert.deepEqual([identify(deaf), identify(other), identify(kept)?.pid], [undefined, undefined, kept]);
  assert.deepEqual(
    (await listRecords(join(folder, 'processes'))).map(({ record }) => record.name),
    ['kept'],
  );
});

test('a raised oom score is set; a refused one is logged and the process runs', async (t) => {
  const { spec } = await scratch(t);
  const lines: string[] = [];
  const log: Log = { ...silentLog, info: (message) => void lines.push(message) };
  const raised = await startProcess(spec('exec sleep 100', { oomScore: 500 }), log);
  assert.equal((await readFile(`/proc/${raised.pid}/oom_score_adj`, 'utf8')).trim(), '500');
  const lowered = await startProcess(spec('exec sleep 100', { name: 'low', oomScore: -999 }), log);
  const score = (await readFile(`/proc/${lowered.pid}/oom_score_adj`, 'utf8')).trim();
  assert.deepEqual(lines, score === '-999' ? [] : ['oom score refused by the host']);
});

test('processes that no component owns any more are ended as their records say, others are left', async (t) => {
  const { folder, spec } = await scratch(t);
  const kept = await startProcess(spec('exec sleep 100', { name: 'kept' }), silentLog);
  const stale = await startProcess(
    spec(`trap "echo hup > ${folder}/asked; exit" HUP; echo > ${folder}/ready; while :; do sleep 0.01; done`, {
      name: 'stale',
      stopSignal: 'SIGHUP',
    }),
    silentLog,
  );
  await waitForFile(`${folder}/ready`, { signal: t.signal });
  await stopUnlisted({ folder: `${folder}/processes`, names: new Set(['kept']), log: silentLog });
  assert.equal(identify(stale.pid), undefined);
  assert.equal(await readFile(`${folder}/asked`, 'utf8'), 'hup\n');
  assert.deepEqual(identify(kept.pid), kept.identity);
});
