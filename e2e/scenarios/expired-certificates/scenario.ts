import assert from 'node:assert/strict';
import { sleep } from '@rfo/foundation';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import { webDeployment } from '../../harness/objects.ts';
import { assertClusterWorks, podLives } from '../../harness/probe.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { slowness } from '../../harness/slowness.ts';
import { assertRenewed, certificateEnds } from './certificate-ends.ts';

/** Life of every leaf, in seconds, on a machine of usual speed. A third before its end is too late for clients that look every five minutes: they are restarted. */
const usuallyBrief = 60;
/** Enough for those clients to notice by themselves, when it is renewed with 95 % of it left. */
const ample = 345;

export const scenario: Scenario = {
  name: 'expired-certificates',
  about: 'certificates renew while the node runs, and a node that was off until all had expired starts again by itself',
  short: true,
  timeout: 600_000,
  run: async ({ addNode, step, note, life }) => {
    const { signal } = life;
    const brief = Math.round(usuallyBrief * (await slowness()));
    const node = await addNode('node');
    await step(`the node gets ready with certificates of ${brief} s`, async () => {
      await node.start({ env: lifeOf(brief) });
      await node.untilReady();
      await node.apply(webDeployment('web', 1));
      await node.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'], { timeout: 70_000 });
    });
    const lives = await podLives(node, 'web');
    const first = await certificateEnds(node);
    await step('every certificate is renewed before it ends, and every server shows the new one', async () => {
      await eventually('new certificates', () => assertRenewed(node, first), { signal, within: brief * 1000 });
      assert.ok(Date.now() < earliest(first), 'they were renewed too late');
    });
    await step('when the first ones have ended, the cluster works, and no pod was restarted', async () => {
      await sleep(latest(first) - Date.now() + 1000, signal);
      await untilAnswering(node, signal);
      await assertClusterWorks(node, signal);
      assert.equal(await podLives(node, 'web'), lives);
    });
    await step('the power is cut until all have expired', async () => {
      const off = latest(await certificateEnds(node)) - Date.now() + 1000;
      await node.host.powerCut();
      note(`off for ${(off / 1000).toFixed()} s`);
      await sleep(off, signal);
      await node.host.boot();
    });
    await step('the node starts again by itself', async () => {
      await node.configure({ 'certificate-renewal-ratio': 0.95 });
      await node.start({ env: lifeOf(ample) });
      await node.untilReady();
      await node.kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'], { timeout: 130_000 });
    });
    await step('a renewal in good time restarts nothing', async () => {
      const pids = await node.pids();
      const before = await certificateEnds(node);
      await eventually('new certificates', () => assertRenewed(node, before), { signal, within: 90_000 });
      assert.deepEqual(await node.pids(), pids);
      await assertClusterWorks(node, signal);
    });
  },
};

function lifeOf(seconds: number): Readonly<Record<string, string>> {
  return { RFO_CERT_EXPIRATION_DAYS: String(seconds / 86_400) };
}

/** The API server itself may have been restarted for its new certificate a moment ago. */
async function untilAnswering(node: Node, signal: AbortSignal): Promise<void> {
  await eventually('an answer of the API', () => node.kubectl(['get', '--raw=/readyz']), { signal, within: 20_000 });
}

const earliest = (ends: Readonly<Record<string, number>>): number => Math.min(...Object.values(ends));
const latest = (ends: Readonly<Record<string, number>>): number => Math.max(...Object.values(ends));
