import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { clusterOf } from '../../harness/cluster.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import { service, webDaemonSet } from '../../harness/objects.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { assertClosed, closeHost } from './closed-host.ts';
import { type Agent, checkRegistration, endAgent, joinLabelled, joinLate } from './join.ts';
import { cutServerPower, killServerProcess } from './outages.ts';
import { checkPodNetwork, webPods } from './pods.ts';
import { checkStreams } from './streams.ts';

export const scenario: Scenario = {
  name: 'agents',
  about: 'two agents with all ports closed but the pod network’s: pods, Services, DNS, exec, logs, and servers that die and come back',
  short: true,
  timeout: 900_000,
  run: async (context) => {
    const { step, check } = context;
    const { first: server } = await clusterOf(context, { servers: 1, agents: 0 });
    const agents = [await joinLabelled(context, server), await joinLate(context, server)] as const;
    await check('the kubelets of the agents cannot be dialled', async () => {
      await Promise.all(agents.map(({ node }) => assertClosed(node, server.host)));
    });
    await checkRegistration(context, server, agents);
    await step('a pod runs on each of the three nodes', async () => {
      await server.apply(webDaemonSet('web'), service('web', { app: 'web' }));
      await server.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=120s'], { timeout: 130_000 });
      await server.wait(['-n', 'kube-system', '--for=condition=Available', 'deployment/coredns']);
    });
    const pods = await webPods(server);
    assert.deepEqual(pods.map(({ node }) => node).sort(), [server.host.name, ...agents.map(({ name }) => name)].sort());
    await checkPodNetwork(context, server, pods);
    const onAgents = pods.filter(({ node }) => node !== server.host.name);
    await checkStreams(context, server, onAgents);
    await killServerProcess(context, { server, agents, pods: onAgents });
    await cutServerPower(context, { server, agents, pods: onAgents });
    await checkMetrics(context, server, agents);
    for (const agent of agents) await noteMemory(context, agent);
    await endAgent(context, agents[1]);
  },
};

/**
 * metrics-server dials kubelets itself, at the addresses of their nodes and from its pod: no tunnel carries that. With the port closed it knows
 * nothing of such a node, and all once it is open.
 */
async function checkMetrics({ check, life }: ScenarioContext, server: Node, agents: readonly Agent[]): Promise<void> {
  await check('kubectl top knows all nodes once metrics-server may reach their kubelets', async () => {
    for (const { node } of agents) await closeHost(node.host, [10250]);
    const names = [server.host.name, ...agents.map(({ name }) => name)].sort();
    const all = async (): Promise<true> => {
      const lines = (await server.kubectl(['top', 'node', '--no-headers'])).trim().split('\n').sort();
      for (const [index, name] of names.entries()) assert.match(lines[index] ?? '', new RegExp(`^${name} +\\d+m +\\d+% +\\d+Mi`));
      return true;
    };
    await eventually('figures of all nodes', all, { signal: life.signal });
    for (const { node } of agents) await closeHost(node.host);
  });
}

/** In proportion: what several processes share, such as the program of Node itself, counts for each in part. */
async function noteMemory({ note }: ScenarioContext, { node, name }: Agent): Promise<void> {
  const text = await readFile(`/proc/${node.service().pid}/smaps_rollup`, 'utf8');
  const megabytes = (field: string): string => (Number(new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024).toFixed(0);
  note(`rfo agent on ${name}: ${megabytes('Pss')} MB PSS, of it ${megabytes('Pss_Anon')} MB anonymous`);
}
