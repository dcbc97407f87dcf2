import assert from 'node:assert/strict';
import { chmod, readFile, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { waitForFile } from '@rfo/process';
import type { Rendered } from './component.ts';
import { isRunning, makeLab } from './test-support.ts';

const quick = { pace: { healthEvery: 5, doubtEvery: 5, healthWithin: 1000, healthFailures: 3 } };

test('health is apart from readiness: one failure is unhealthy, several in a row restart', async (t) => {
  const lab = await makeLab(t);
  const results = ['ill', 'ill', 'well', 'ill', 'ill', 'ill'];
  const health = async (): Promise<void> => {
    if (results.shift() === 'ill') throw new Error('no answer');
  };
  const manager = lab.start([lab.process('etcd', { health })], quick);
  await manager.allReady();
  const first = lab.pidOf('etcd');
  await lab.reached('etcd restarting');
  await lab.reached('etcd ready', lab.changes.indexOf('etcd restarting'));
  const states = ['starting', 'ready', 'unhealthy', 'ready', 'unhealthy', 'restarting', 'starting', 'ready'];
  assert.deepEqual(
    lab.changes,
    states.map((state) => `etcd ${state}`),
  );
  assert.equal(isRunning(first), false);
});

test('a health check that hangs counts as failed', async (t) => {
  const lab = await makeLab(t);
  const manager = lab.start([lab.process('etcd', { health: () => new Promise(() => undefined) })], quick);
  await manager.allReady();
  await lab.reached('etcd restarting');
});

test('a change is applied by nothing, reload or restart, to that component alone', async (t) => {
  const lab = await makeLab(t);
  const { folder } = lab;
  const script = `trap "cp ${folder}/conf ${folder}/reloaded" HUP; echo > ${folder}/up; while :; do sleep 0.01; done`;
  let content = 'one';
  let argument = 'a';
  const template = lab.process('part', { script, spec: { reloadSignal: 'SIGHUP' } });
  const render = async (): Promise<Rendered> => {
    const { process } = await template.render();
    return { files: [{ path: `${folder}/conf`, content, mode: 0o600 }], process: { ...process, args: [...process.args, argument] } };
  };
  const ready = async (): Promise<void> => void (await waitForFile(`${folder}/up`, t));
  const manager = lab.start([{ ...template, render, ready }, lab.process('other')]);
  await manager.allReady();
  const [part, other] = [lab.pidOf('part'), lab.pidOf('other')];
  assert.equal(await manager.reconcile('part'), 'none');
  content = 'two';
  assert.equal(await manager.reconcile('part'), 'reload');
  assert.equal(await waitForFile(`${folder}/reloaded`, { ...t, signal: t.signal, predicate: (text) => text !== '' }), 'two');
  assert.equal(lab.pidOf('part'), part);
  argument = 'b';
  assert.equal(await manager.reconcile('part'), 'restart');
  assert.notEqual(lab.pidOf('part'), part);
  assert.equal(manager.stateOf('part'), 'ready');
  assert.equal(lab.pidOf('other'), other);

  await manager.release();
  const next = lab.start([{ ...template, render, ready }]);
  const kept = lab.pidOf('part');
  await next.allReady();
  assert.equal(lab.pidOf('part'), kept, 'what was reloaded is adopted');
});

test('rendered files are written before the process starts, with their modes', async (t) => {
  const lab = await makeLab(t);
  const path = `${lab.folder}/etc/conf`;
  const template = lab.process('part', { script: `cat ${path}; exec sleep 100` });
  const render = async (): Promise<Rendered> => ({ ...(await template.render()), files: [{ path, content: 'x: 1\n', mode: 0o640 }] });
  const ready = async (): Promise<void> =>
    void (await waitForFile(`${lab.folder}/part.log`, { signal: t.signal, predicate: (text) => text !== '' }));
  const manager = lab.start([{ ...template, render, ready }]);
  await manager.allReady();
  assert.equal(await readFile(`${lab.folder}/part.log`, 'utf8'), 'x: 1\n');
  await chmod(path, 0o644);
  await manager.reconcile('part');
  assert.equal((await stat(path)).mode & 0o777, 0o640);
});

test('a component that dies before it is ready ends its probe, is restarted, and says in the log what its last line was', async (t) => {
  const lab = await makeLab(t);
  const { folder } = lab;
  const script = `if [ -e ${folder}/second ]; then exec sleep 100; fi; echo > ${folder}/second; echo address in use; exit 1`;
  const lines: string[] = [];
  let probes = 0;
  const manager = lab.start(
    [
      lab.process('part', {
        script,
        ready: ({ signal }) => (++probes > 1 ? Promise.resolve() : new Promise((_, reject) => signal.addEventListener('abort', reject))),
      }),
    ],
    { log: lab.logTo(lines) },
  );
  await manager.allReady();
  assert.match(lines.join(''), /warn {2}part: restarting error="part ended with exit code 1 \(address in use\)/);
});

test('the log says what a slow component waits for', async (t) => {
  const lab = await makeLab(t);
  const said = Promise.withResolvers<string>();
  const log = lab.logTo({ push: (line: string) => void (line.includes('not ready yet') && said.resolve(line)) });
  const ready = ({ note }: { note: (problem: string) => void }): Promise<void> => {
    note('https://127.0.0.1:6443/readyz answers 500');
    return new Promise(() => undefined);
  };
  lab.start([lab.process('api', { ready })], { log, pace: { slowAfter: 5 } });
  assert.match(await said.promise, /because="https:\/\/127\.0\.0\.1:6443\/readyz answers 500"/);
});
