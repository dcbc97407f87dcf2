import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fail } from '@rfo/foundation';
import { waitForFile } from '@rfo/process';
import { isRunning, makeLab } from './test-support.ts';

test('components start as soon as their needs are ready, side by side where nothing holds them', async (t) => {
  const lab = await makeLab(t);
  const gate = { etcd: Promise.withResolvers<void>(), containerd: Promise.withResolvers<void>() };
  const manager = lab.start([
    lab.process('kubelet', { needs: ['api', 'containerd'] }),
    lab.process('api', { needs: ['etcd'] }),
    lab.process('etcd', { ready: () => gate.etcd.promise }),
    lab.process('containerd', { ready: () => gate.containerd.promise }),
  ]);
  await Promise.all([waitForFile(`${lab.folder}/etcd.log`, t), waitForFile(`${lab.folder}/containerd.log`, t)]);
  assert.deepEqual(lab.changes.sort(), ['containerd starting', 'etcd starting']);
  gate.etcd.resolve();
  await manager.whenReady('api');
  assert.equal(manager.stateOf('kubelet'), 'waiting');
  gate.containerd.resolve();
  await manager.allReady();
  assert.equal(lab.changes.at(-1), 'kubelet ready');
  assert.match(manager.table(), /^component +waited +took +ready at +how\n(.+started\n?){4}$/);
});

test('what is apart is not waited for, and fails alone', async (t) => {
  const lab = await makeLab(t);
  const gate = Promise.withResolvers<void>();
  const ready = async (): Promise<void> => {
    await gate.promise;
    throw fail('port-taken', { port: '8443', holder: 'nginx' });
  };
  const manager = lab.start([lab.process('api'), lab.process('extra', { needs: ['api'], apart: true, ready })]);
  await manager.allReady();
  gate.resolve();
  await lab.reached('extra failed');
  await manager.allReady();
  await assert.rejects(manager.whenReady('extra'), { code: 'port-taken' });
  assert.equal(manager.stateOf('api'), 'ready');
});

test('a process that dies is restarted alone', async (t) => {
  const lab = await makeLab(t);
  const manager = lab.start([lab.process('etcd'), lab.process('api', { needs: ['etcd'] })]);
  await manager.allReady();
  const [etcd, api] = [lab.pidOf('etcd'), lab.pidOf('api')];
  lab.changes.length = 0;
  process.kill(etcd, 'SIGKILL');
  await lab.reached('etcd ready');
  assert.deepEqual(lab.changes, ['etcd restarting', 'etcd starting', 'etcd ready']);
  assert.notEqual(lab.pidOf('etcd'), etcd);
  assert.equal(lab.pidOf('api'), api);
  assert.match(manager.table(), /^etcd .*started, 1 restart$/m);
});

test('stopAll ends each component after those that need it, tasks included', async (t) => {
  const lab = await makeLab(t);
  const ended: string[] = [];
  const script = (name: string): string =>
    `trap "echo ${name} >> ${lab.folder}/ended; exit" TERM; echo > ${lab.folder}/${name}.up; while :; do sleep 0.01; done`;
  const up = (name: string) => async () => void (await waitForFile(`${lab.folder}/${name}.up`, t));
  const manager = lab.start([
    lab.process('etcd', { script: script('etcd'), ready: up('etcd') }),
    lab.process('api', { needs: ['etcd'], script: script('api'), ready: up('api') }),
    lab.process('kubelet', { needs: ['api'], script: script('kubelet'), ready: up('kubelet') }),
    lab.task('controllers', {
      needs: ['api'],
      run: async ({ life }) => life.defer(() => ended.push(`controllers, api ${manager.stateOf('api')}`)),
    }),
  ]);
  await manager.allReady();
  await manager.stopAll();
  assert.equal(await readFile(`${lab.folder}/ended`, 'utf8'), 'kubelet\napi\netcd\n');
  assert.deepEqual(ended, ['controllers, api ready']);
  assert.deepEqual(lab.changes.slice(-2), ['etcd stopping', 'etcd stopped']);
});

test('release leaves the processes to the next manager, who adopts what is unchanged and replaces the rest', async (t) => {
  const lab = await makeLab(t);
  const first = lab.start([lab.process('etcd'), lab.process('api'), lab.process('proxy', { onRelease: 'stop' }), lab.process('old')]);
  await first.allReady();
  const before = { etcd: lab.pidOf('etcd'), api: lab.pidOf('api'), proxy: lab.pidOf('proxy'), old: lab.pidOf('old') };
  await first.release();
  assert.deepEqual(Object.values(before).map(isRunning), [true, true, false, true]);
  assert.deepEqual([first.stateOf('etcd'), first.stateOf('proxy')], ['released', 'stopped']);

  const probed: number[] = [];
  const ready = async ({ process: { pid } }: { process: { pid: number } }): Promise<void> => void probed.push(pid);
  const second = lab.start([lab.process('etcd', { ready }), lab.process('api', { script: 'exec sleep 101' }), lab.process('proxy')]);
  await second.allReady();
  assert.equal(lab.pidOf('etcd'), before.etcd);
  assert.deepEqual(probed, [before.etcd]);
  assert.notEqual(lab.pidOf('api'), before.api);
  assert.equal(isRunning(before.api), false);
  assert.equal(isRunning(before.old), false, 'what no component owns is ended');
  assert.match(second.table(), /^etcd .*adopted$/m);
  assert.match(second.table(), /^api .*started$/m);
});

test('what an earlier manager left is replaced in order: what needs a component is ended before it, where it is replaced as well', async (t) => {
  const lab = await makeLab(t);
  const script = (name: string, settings: string): string =>
    `trap "echo ${name} >> ${lab.folder}/ended; exit" TERM; echo ${settings} > ${lab.folder}/${name}.up; while :; do sleep 0.01; done`;
  const parts = (settings: string) =>
    (['etcd', 'api', 'scheduler'] as const).map((name) =>
      lab.process(name, {
        needs: name === 'etcd' ? [] : ['etcd'],
        script: script(name, name === 'scheduler' ? 'the same' : settings),
        ready: async () => void (await waitForFile(`${lab.folder}/${name}.up`, t)),
      }),
    );
  const first = lab.start(parts('old'));
  await first.allReady();
  const scheduler = lab.pidOf('scheduler');
  await first.release();
  const second = lab.start(parts('new'));
  await second.allReady();
  assert.equal(await readFile(`${lab.folder}/ended`, 'utf8'), 'api\netcd\n');
  assert.equal(lab.pidOf('scheduler'), scheduler, 'what is unchanged was ended');
  await second.release();
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout'),
    [],
    'something is watched still, and would keep rfo from ending',
  );
});

test('what needs a failed component fails too, saying why, and starts when that is cured', async (t) => {
  const lab = await makeLab(t);
  let broken = true;
  const run = async (): Promise<void> => {
    if (broken) throw fail('not-root', { what: 'etcd' });
  };
  const manager = lab.start([lab.task('etcd', { run }), lab.task('api', { needs: ['etcd'] }), lab.task('kubelet', { needs: ['api'] })]);
  await assert.rejects(manager.whenReady('etcd'), /etcd needs root/);
  await assert.rejects(manager.whenReady('kubelet'), /kubelet cannot start: it needs api, which failed/);
  await assert.rejects(manager.allReady(), /etcd needs root/);
  broken = false;
  await manager.restart('etcd');
  await lab.reached('kubelet ready');
});

test('a task is tried again while its error may pass, each time with a life of its own', async (t) => {
  const lab = await makeLab(t);
  const undone: number[] = [];
  let round = 0;
  const manager = lab.start([
    lab.task('images', {
      run: async ({ life }) => {
        const own = ++round;
        life.defer(() => undone.push(own));
        if (own < 3) throw new Error('no room');
      },
    }),
  ]);
  await manager.allReady();
  assert.deepEqual(undone, [1, 2]);
  assert.equal(await manager.reconcile('images'), 'restart');
  assert.deepEqual([round, undone], [4, [1, 2, 3]]);
  await manager.stopAll();
  assert.deepEqual(undone, [1, 2, 3, 4]);
});

test('stopping while a component is not ready ends its wait and its process', async (t) => {
  const lab = await makeLab(t);
  const manager = lab.start([lab.process('etcd', { ready: () => new Promise(() => undefined) }), lab.process('api', { needs: ['etcd'] })]);
  await waitForFile(`${lab.folder}/etcd.log`, t);
  const whenReady = assert.rejects(manager.whenReady('api'), /api was stopped/);
  await manager.stopAll();
  await whenReady;
  assert.deepEqual([manager.stateOf('etcd'), manager.stateOf('api')], ['stopped', 'stopped']);
});

test('impossible needs are refused before anything starts', async (t) => {
  const lab = await makeLab(t);
  assert.throws(() => lab.start([lab.task('a', { needs: ['b'] }), lab.task('b', { needs: ['a'] })]), /in a circle: a → b → a/);
  assert.deepEqual(lab.changes, []);
});
