import assert from 'node:assert/strict';
import { webDeployment } from '../../harness/objects.ts';
import { assertClusterWorks, podLives } from '../../harness/probe.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { startRequests } from '../../harness/tools.ts';

export const scenario: Scenario = {
  name: 'supervisor-restart',
  about: 'rfo dies, is upgraded or gets a new configuration under 50 requests a second: none fails and no pod restarts',
  short: true,
  timeout: 600_000,
  run: async ({ addNode, step, note, life }) => {
    const { signal } = life;
    const node = await addNode('node');
    await step('the node gets ready', async () => {
      await node.start();
      await node.untilReady();
      await node.apply(webDeployment('web', 1));
      await node.kubectl(['rollout', 'status', 'deployment/web', '--timeout=180s'], { timeout: 190_000 });
    });
    const lives = await podLives(node, 'web');
    const pids = await node.pids();
    const requests = await startRequests(node, signal);

    await step('after kill -9 a new rfo adopts what runs', async () => {
      await node.stop('SIGKILL');
      await node.start();
      await node.untilReady();
      assert.deepEqual(await node.pids(), pids);
    });
    await step('an upgrade lets go of what runs, and the next rfo adopts it', async () => {
      assert.equal(await node.stop('SIGUSR2'), 0);
      assert.deepEqual(await node.pids(), pids);
      await node.start();
      await node.untilReady();
      assert.deepEqual(await node.pids(), pids);
    });
    await step('a changed setting replaces its component alone', async () => {
      await node.configure({ 'kube-scheduler-arg': ['v=3'] });
      assert.equal(await node.stop('SIGUSR2'), 0);
      await node.start();
      const { 'kube-scheduler': old, ...others } = pids;
      await node.untilReady();
      const { 'kube-scheduler': now, ...same } = await node.pids();
      assert.notEqual(now, old);
      assert.deepEqual(same, others);
    });
    await step('no request failed', async () => {
      const report = await requests.stop();
      note(`${report.sent} requests, the slowest took ${report.slowest} ms`);
      assert.deepEqual(report.failures, []);
      assert.ok(report.sent > 100, `only ${report.sent} requests were sent`);
    });
    await step('no pod restarted and the cluster works', async () => {
      assert.equal(await podLives(node, 'web'), lives);
      await assertClusterWorks(node, signal);
    });
  },
};
