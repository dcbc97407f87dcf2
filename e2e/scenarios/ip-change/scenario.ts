import { joinNode } from '../../harness/cluster.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import { configMap, webDaemonSet, webDeployment } from '../../harness/objects.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { loseConfiguredAddress } from './configured.ts';
import { changeAgent, changeServer } from './several.ts';
import { changeWhileAway, changeWhileRunning, identityOf } from './single.ts';

export const scenario: Scenario = {
  name: 'ip-change',
  about: 'a node gets another address: etcd, certificates, kubelet, endpoints, tunnels and the pod network follow by themselves',
  short: false,
  timeout: 1_500_000,
  run: async (context) => {
    const { step } = context;
    const first = await context.addNode('server-1');
    await step('server-1 gets ready, with pods and data', async () => {
      await first.start();
      await first.untilReady();
      await first.apply(configMap('kept', { word: 'hummingbird' }), webDeployment('web', 1), webDaemonSet('everywhere'));
      await first.wait(['--for=condition=Available', 'deployment/web']);
    });
    const identity = await identityOf(first);
    await changeWhileRunning(context, { node: first, ip: '10.98.0.51', identity });
    await changeWhileAway(context, { node: first, ip: '10.98.0.52', identity });
    await loseConfiguredAddress(context, { node: first, ip: '10.98.0.53' });

    const { servers, agent } = await join(context, first);
    const all = [...servers, agent];
    const [, second] = servers;
    await changeServer(context, { changed: second, ip: '10.98.0.61', all, through: first });
    await changeAgent(context, { agent, ip: '10.98.0.62', all, through: first });
    // The one by whose address all others were told to join.
    await changeServer(context, { changed: first, ip: '10.98.0.63', all, through: second });
  },
};

type Several = { readonly servers: readonly [Node, Node, Node]; readonly agent: Node };

async function join(context: ScenarioContext, first: Node): Promise<Several> {
  const { step, life } = context;
  const second = await step('server-2 joins', async () => (await joinNode(context, { first, name: 'server-2', role: 'server' })).node);
  const third = await step('server-3 joins', async () => (await joinNode(context, { first, name: 'server-3', role: 'server' })).node);
  const agent = await step('agent-1 joins, with all its ports closed', async () => {
    const { node } = await joinNode(context, { first, name: 'agent-1', role: 'agent' });
    await node.host.blockInbound('all');
    return node;
  });
  await step('each node has its pod', async () => {
    const ready = async (): Promise<true | undefined> => {
      const path = '-o=jsonpath={.status.desiredNumberScheduled}/{.status.numberReady}';
      return (await first.kubectl(['get', 'daemonset/everywhere', path])) === '4/4' ? true : undefined;
    };
    await eventually('a ready pod on each of four nodes', ready, { signal: life.signal });
  });
  return { servers: [first, second, third], agent };
}
