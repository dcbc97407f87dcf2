import assert from 'node:assert/strict';
import { assertNoneLost } from '../../harness/acked-writes.ts';
import type { Node } from '../../harness/node.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { serverInUse } from './balancer-requests.ts';
import { type FaultName, makeFaults } from './faults.ts';
import { type ObservedCluster, observedCluster } from './observed-cluster.ts';
import { survive } from './survive.ts';
import { assertSameData } from './wholeness.ts';

const order: readonly FaultName[] = ['apiserver', 'etcd', 'rfo', 'power', 'partition', 'severed'];

export const scenario: Scenario = {
  name: 'ha',
  about:
    'each of three servers in turn loses a process, power and the network under 200 writes a second: none is lost, an agent stays Ready',
  short: false,
  timeout: 1_800_000,
  run: async (context) => {
    const { step, check, note } = context;
    const cluster = await observedCluster(context);
    const faults = makeFaults(context, cluster);
    for (const name of order) {
      const fault = faults[name];
      const left = new Set(cluster.servers);
      while (left.size > 0) {
        const server = await nextOf(cluster, left);
        const missed = fault.away && left.size === cluster.servers.length;
        const title = `${fault.title.replace('%', server.host.name)}${missed ? ', until its Node is not Ready' : ''}`;
        await check(title, () => survive(context, cluster, { fault, server, missed }));
        left.delete(server);
      }
    }
    await step('nothing acknowledged was lost, and all members hold the same', async () => {
      const { writes, servers } = cluster;
      await writes.stop();
      for (const server of servers) await assertNoneLost(server, writes);
      await assertSameData(servers);
      note(`${writes.acknowledged().length} acknowledged writes, ${writes.failures().length} others`);
    });
  },
};

/** The one that the agent uses first: so that its balancer has to find another each time. */
async function nextOf({ agent, servers }: ObservedCluster, left: ReadonlySet<Node>): Promise<Node> {
  const used = await serverInUse(agent, servers);
  const [next] = [...left].sort((one, other) => Number(other === used) - Number(one === used));
  assert.ok(next);
  return next;
}
