import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import { webDeployment } from '../../harness/objects.ts';
import { assertClusterWorks, podLives } from '../../harness/probe.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { assertNothingLost, startWriter } from '../../harness/tools.ts';

const components = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'containerd',
  'kubelet',
  'kube-proxy',
  'flannel',
];

export const scenario: Scenario = {
  name: 'process-kill',
  about:
    'kill -9 of each process, of rfo, of all at once and a power cut: the cluster comes back by itself and no acknowledged write is lost',
  short: true,
  timeout: 900_000,
  run: async ({ addNode, step, check, life, note }) => {
    const { signal } = life;
    const node = await addNode('node');
    await step('the node gets ready', async () => {
      await node.start();
      await node.untilReady();
      await node.apply(webDeployment('web', 2));
      await node.kubectl(['rollout', 'status', 'deployment/web', '--timeout=180s'], { timeout: 190_000 });
    });
    const lives = await podLives(node, 'web');
    const writer = await startWriter(node, signal);
    await writer.untilNext();

    for (const name of components) {
      await check(`${name} comes back after kill -9`, async () => {
        const begin = performance.now();
        await killAndReplace(node, name, signal);
        note(`a new ${name} after ${(performance.now() - begin).toFixed()} ms`);
        await writer.untilNext();
        await assertClusterWorks(node, signal);
      });
    }
    await check('no pod was restarted by any of it', async () => assert.equal(await podLives(node, 'web'), lives));

    await step('rfo killed and started again adopts everything', async () => {
      const before = await node.pids();
      await node.stop('SIGKILL');
      await writer.untilNext();
      await node.start();
      await node.untilReady();
      await assertClusterWorks(node, signal);
      assert.deepEqual(await node.pids(), before);
      assert.equal(await podLives(node, 'web'), lives);
    });
    await step('rfo and all components killed at once come back, the pods live on', async () => {
      const pids = Object.values(await node.pids());
      await node.host.must(['sh', '-c', `kill -9 ${[await node.servicePid(), ...pids].join(' ')}`]);
      await node.service().exited;
      await node.start();
      await node.untilReady();
      await writer.untilNext();
      await assertClusterWorks(node, signal);
      assert.equal(await podLives(node, 'web'), lives);
    });
    await step('nothing acknowledged was lost', async () => {
      await writer.stop();
      await assertNothingLost(node, writer);
      note(`${writer.acknowledged().length} acknowledged writes`);
    });
    await step('a power cut takes everything, and the node starts again', async () => {
      await node.host.powerCut();
      await node.host.boot();
      await node.start();
      await node.untilReady();
      await assertNothingLost(node, writer);
      await node.kubectl(['rollout', 'status', 'deployment/web', '--timeout=180s'], { timeout: 190_000 });
      await assertClusterWorks(node, signal);
    });
  },
};

/** Kills components and waits until each has a new process. */
async function killAndReplace(node: Node, name: string, signal: AbortSignal): Promise<void> {
  const pids = await node.pids();
  const old = pids[name];
  assert.ok(old, `${name} is not running; there are: ${Object.keys(pids).join(' ')}`);
  await node.host.must(['sh', '-c', `kill -9 ${old}`]);
  const look = async (): Promise<true | undefined> => {
    const now = (await node.pids())[name];
    return now !== undefined && now !== old ? true : undefined;
  };
  await eventually(`a new process of ${name}`, look, { signal, within: 60_000 });
}
