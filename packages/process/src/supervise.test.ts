import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail, Life, silentLog } from '@rfo/foundation';
import { identify } from './identity.ts';
import type { RunningProcess } from './running-process.ts';
import type { ProcessSpec } from './spec.ts';
import { type SupervisedState, type SuperviseOptions, supervise } from './supervise.ts';
import { scratch } from './test-support.ts';
import { waitForFile } from './wait-for-file.ts';

type Watched = ReturnType<typeof watched>;

/** Options that gather states; `reach(kind)` waits for the next state of that kind. */
function watched(life: Life, spec: () => ProcessSpec, more: Partial<SuperviseOptions> = {}) {
  const states: SupervisedState[] = [];
  let seen = 0;
  let wake = (): void => undefined;
  const options: SuperviseOptions = {
    name: 'part',
    prepare: async () => spec(),
    accompany: async () => undefined,
    onState: (state) => {
      states.push(state);
      wake();
    },
    life,
    log: silentLog,
    backoff: { initial: 1, max: 4 },
    ...more,
  };
  const reach = async <Kind extends SupervisedState['kind']>(kind: Kind): Promise<Extract<SupervisedState, { kind: Kind }>> => {
    for (;;) {
      for (; seen < states.length; seen++) {
        const state = states[seen];
        if (state?.kind === kind) {
          seen++;
          return state as Extract<SupervisedState, { kind: Kind }>;
        }
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { options, states, reach };
}

async function running({ reach }: Watched): Promise<RunningProcess> {
  return (await reach('running')).process;
}

test('a process that ends is started again, with delays that grow', async (t) => {
  const { spec } = await scratch(t);
  await using life = new Life();
  const watch = watched(life, () => spec('exit 5'), { backoff: { initial: 1, max: 100, factor: 3, jitter: 0 } });
  supervise(watch.options);
  const delays: number[] = [];
  for (let round = 0; round < 4; round++) {
    const { delay, error } = await watch.reach('restarting');
    delays.push(delay);
    assert.match(String(error), /part ended with exit code 5/);
  }
  assert.deepEqual(delays, [1, 3, 9, 27]);
});

test('a process that ran for a healthy minute starts the delays anew', async (t) => {
  const { folder, spec } = await scratch(t);
  await using life = new Life();
  let now = 0;
  let round = 0;
  const watch = watched(life, () => spec(`echo > ${folder}/${++round}; exec sleep 100`), {
    clock: { now: () => now },
    backoff: { initial: 1, max: 100, factor: 3, jitter: 0 },
  });
  supervise(watch.options);
  const delays: number[] = [];
  for (const ran of [0, 0, 60_000, 0]) {
    const process = await running(watch);
    now += ran;
    process.kill('SIGKILL');
    delays.push((await watch.reach('restarting')).delay);
  }
  assert.deepEqual(delays, [1, 3, 1, 3]);
});

test('stop ends the process, release leaves it to the next supervisor, who adopts it', async (t) => {
  const { spec } = await scratch(t);
  await using life = new Life();
  const first = watched(life, () => spec('exec sleep 100'));
  const released = supervise(first.options);
  const { pid } = await running(first);
  await released.release();
  assert.deepEqual(
    first.states.map(({ kind }) => kind),
    ['starting', 'running', 'released'],
  );
  assert.ok(identify(pid));

  const second = watched(life, () => spec('exec sleep 100'));
  const adopted = supervise(second.options);
  const process = await running(second);
  assert.deepEqual([process.pid, process.adopted], [pid, true]);
  await adopted.stop();
  assert.equal(identify(pid), undefined);
});

test('an adopted process that dies is noticed and started anew', async (t) => {
  const { spec } = await scratch(t);
  await using life = new Life();
  const first = watched(life, () => spec('exec sleep 100'));
  const released = supervise(first.options);
  const { pid } = await running(first);
  await released.release();
  const second = watched(life, () => spec('exec sleep 100'));
  supervise(second.options);
  assert.equal((await running(second)).adopted, true);
  process.kill(pid, 'SIGKILL');
  await second.reach('restarting');
  assert.equal((await running(second)).adopted, false);
});

test('a process that runs with other arguments is replaced', async (t) => {
  const { spec } = await scratch(t);
  await using life = new Life();
  const first = watched(life, () => spec('exec sleep 100'));
  const released = supervise(first.options);
  const { pid } = await running(first);
  await released.release();
  const second = watched(life, () => spec('exec sleep 101'));
  supervise(second.options);
  assert.equal((await running(second)).adopted, false);
  assert.equal(identify(pid), undefined);
});

test('restart prepares anew and does not wait', async (t) => {
  const { spec } = await scratch(t);
  await using life = new Life();
  let round = 0;
  const watch = watched(life, () => spec(`exec sleep ${100 + round++}`), { backoff: { initial: 1e6, max: 1e6 } });
  const supervised = supervise(watch.options);
  const first = await running(watch);
  supervised.restart();
  const second = await running(watch);
  assert.notEqual(second.pid, first.pid);
  assert.equal(round, 2);
  assert.equal(identify(first.pid), undefined);
  second.kill('SIGKILL');
  await watch.reach('restarting');
  supervised.restart();
  await running(watch);
});

test('what goes with the process ends with it, and when it fails the process is started again', async (t) => {
  const { spec } = await scratch(t);
  await using life = new Life();
  const ends: unknown[] = [];
  let round = 0;
  const watch = watched(life, () => spec('exec sleep 100'), {
    accompany: async (_, signal) => {
      signal.addEventListener('abort', () => ends.push(signal.reason));
      if (round++ === 0) throw new Error('unhealthy');
    },
  });
  supervise(watch.options);
  const first = await running(watch);
  assert.match(String((await watch.reach('restarting')).error), /unhealthy/);
  assert.equal(identify(first.pid), undefined);
  (await running(watch)).kill('SIGKILL');
  await watch.reach('restarting');
  assert.match(String(ends.at(-1)), /part ended with SIGKILL/);
});

test('an error that a new attempt does not cure stops the attempts until a restart is asked for', async (t) => {
  const { spec } = await scratch(t);
  await using life = new Life();
  let path = '/nowhere/etcd';
  const watch = watched(life, () => spec('exec sleep 100', { path }));
  const supervised = supervise(watch.options);
  assert.match(String((await watch.reach('failed')).error), /cannot be started/);
  path = '/bin/sh';
  supervised.restart();
  await running(watch);
});

test('an error of preparation that time may cure is retried', async (t) => {
  const { spec } = await scratch(t);
  await using life = new Life();
  let round = 0;
  const watch = watched(life, () => spec('exec sleep 100'), {
    prepare: async () => {
      if (round++ === 0) throw fail('timeout', { what: 'x', seconds: 1, cure: 'y' });
      return spec('exec sleep 100');
    },
  });
  supervise(watch.options);
  await watch.reach('restarting');
  await running(watch);
});

test('the end of its life stops the process, also while it waits for its next start', async (t) => {
  const { spec } = await scratch(t);
  const life = new Life();
  const watch = watched(life, () => spec('exit 1'), { backoff: { initial: 1e6, max: 1e6 } });
  supervise(watch.options);
  await watch.reach('restarting');
  await life.end();
  assert.equal(watch.states.at(-1)?.kind, 'stopped');
});

test('reload signals the process and records that it has the new files', async (t) => {
  const { folder, spec } = await scratch(t);
  await using life = new Life();
  const script = `trap "echo > ${folder}/reloaded" HUP; echo > ${folder}/ready; while :; do sleep 0.01; done`;
  let inputsHash = 'old';
  const current = (): ProcessSpec => spec(script, { inputsHash, reloadSignal: 'SIGHUP' });
  const watch = watched(life, current);
  const supervised = supervise(watch.options);
  const { pid } = await running(watch);
  await waitForFile(`${folder}/ready`, { signal: t.signal });
  inputsHash = 'new';
  await supervised.reload(current());
  await waitForFile(`${folder}/reloaded`, { signal: t.signal });
  await supervised.release();
  const second = watched(life, current);
  supervise(second.options);
  assert.equal((await running(second)).pid, pid);
});
