/** The cluster that faults are tried on, with everything on it that must not notice them. */
import assert from 'node:assert/strict';
import { type AckedWrites, startAckedWrites } from '../../harness/acked-writes.ts';
import { type Cluster, clusterOf } from '../../harness/cluster.ts';
import type { Node } from '../../harness/node.ts';
import { webDeployment } from '../../harness/objects.ts';
import { podLives } from '../../harness/probe.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { type BalancerRequests, startBalancerRequests } from './balancer-requests.ts';
import { readiness, untilWhole } from './wholeness.ts';

export type ObservedCluster = Cluster & {
  readonly agent: Node;
  readonly writes: AckedWrites;
  readonly requests: BalancerRequests;
  /** The agent's Node was Ready all the time, and its pods live as they did at the beginning. */
  readonly assertAgentUnmoved: () => Promise<void>;
};

/** Three servers and an agent with two pods; on the agent's host 200 writes a second to the servers, and requests through its balancer. */
export async function observedCluster(context: ScenarioContext): Promise<ObservedCluster> {
  const { step, life } = context;
  const { signal } = life;
  const cluster = await clusterOf(context, { servers: 3, agents: 1, config: { 'supervisor-metrics': true } });
  const { first, servers } = cluster;
  const [agent] = cluster.agents;
  assert.ok(agent);
  return await step('pods run on the agent, and clients write', async () => {
    await first.apply(onNode(webDeployment('web', 2), agent.host.name));
    await first.kubectl(['rollout', 'status', 'deployment/web', '--timeout=180s'], { timeout: 190_000 });
    await untilWhole(cluster, signal);
    const lives = await podLives(first, 'web');
    const ready = await readiness(agent.host.name, first);
    const writes = await startAckedWrites(agent.host, { servers, signal });
    const requests = await startBalancerRequests(agent, first, signal);
    const assertAgentUnmoved = async (): Promise<void> => {
      assert.deepEqual(await readiness(agent.host.name, first), ready, 'the agent was Ready all the time');
      assert.equal(await podLives(first, 'web'), lives);
    };
    return { ...cluster, agent, writes, requests, assertAgentUnmoved };
  });
}

function onNode(deployment: object, name: string): object {
  const { spec, ...rest } = deployment as { spec: { template: { spec: object } } };
  const { template } = spec;
  return {
    ...rest,
    spec: { ...spec, template: { ...template, spec: { ...template.spec, nodeSelector: { 'kubernetes.io/hostname': name } } } },
  };
}
