import assert from 'node:assert/strict';
import { assertNoneLost } from '../../harness/acked-writes.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { serverInUse } from '../ha/balancer-requests.ts';
import { makeFaults } from '../ha/faults.ts';
import { observedCluster } from '../ha/observed-cluster.ts';
import { survive } from '../ha/survive.ts';
import { assertSameData, etcdLeader } from '../ha/wholeness.ts';

export const scenario: Scenario = {
  name: 'ha-short',
  about:
    "of three servers the agent's API server and the leading etcd are killed and the leader's host loses power: no write is lost, the agent stays Ready",
  short: true,
  timeout: 600_000,
  run: async (context) => {
    const { step, note } = context;
    const cluster = await observedCluster(context);
    const { servers, agent, writes } = cluster;
    const { apiserver, etcd, power } = makeFaults(context, cluster);
    await step('kill -9 of the API server that the agent uses', async () => {
      const server = await serverInUse(agent, servers);
      assert.ok(server, 'the agent has no connection to a server');
      await survive(context, cluster, { fault: apiserver, server });
    });
    await step('kill -9 of the etcd that leads', async () => survive(context, cluster, { fault: etcd, server: await etcdLeader(servers) }));
    await step('power cut of the host whose etcd leads', async () =>
      survive(context, cluster, { fault: power, server: await etcdLeader(servers) }),
    );
    await step('nothing acknowledged was lost, and all members hold the same', async () => {
      await writes.stop();
      for (const server of servers) await assertNoneLost(server, writes);
      await assertSameData(servers);
      note(`${writes.acknowledged().length} acknowledged writes, ${writes.failures().length} others`);
    });
  },
};
