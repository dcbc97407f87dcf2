import assert from 'node:assert/strict';
import type { Node } from '../../harness/node.ts';
import { assertClusterWorks, podLives } from '../../harness/probe.ts';
import {
  apiAnswersAt,
  type Context,
  certificatesFollow,
  endpointsFollow,
  etcdFollows,
  execFollows,
  inSeconds,
  nodeFollows,
  timed,
  untilStartedAnew,
} from './follows.ts';

export type Identity = { readonly cluster: string; readonly web: string };

/** What a change of address must leave as it is: the cluster, and the life of its pods. */
export async function identityOf(node: Node): Promise<Identity> {
  return {
    cluster: await node.kubectl(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}']),
    web: await podLives(node, 'web'),
  };
}

type Change = { readonly node: Node; readonly ip: string; readonly identity: Identity };

/** The address changes under everything that runs. */
export async function changeWhileRunning(context: Context, { node, ip, identity }: Change): Promise<void> {
  const { step, note, life } = context;
  const { signal } = life;
  await step(`the address of the only server changes while it runs, to ${ip}`, async () => {
    const took = await timed(async () => {
      await node.host.changeAddress(ip);
      await untilStartedAnew(node, signal);
    });
    note(`all of it is ready ${inSeconds(took)} after the change`);
  });
  await step('everything has followed, and the same cluster works', () => assertFollowed(context, node, identity));
}

/** The address changes between two starts of rfo, as by `systemctl restart`. */
export async function changeWhileAway(context: Context, { node, ip, identity }: Change): Promise<void> {
  const { step, note } = context;
  await step(`rfo is restarted, and the address of its host is ${ip} then`, async () => {
    await node.stop('SIGUSR2');
    await node.host.changeAddress(ip);
    const took = await timed(async () => {
      await node.start();
      await node.untilReady();
    });
    note(`all of it is ready ${inSeconds(took)} after its start`);
  });
  await step('everything has followed, and the same cluster works', () => assertFollowed(context, node, identity));
}

async function assertFollowed({ note, life }: Context, node: Node, identity: Identity): Promise<void> {
  const asked = { through: node, signal: life.signal };
  const parts: readonly (readonly [string, () => Promise<void>])[] = [
    ['Node', () => nodeFollows(node, asked)],
    ['etcd', () => etcdFollows([node], asked)],
    ['endpoints', () => endpointsFollow([node], asked)],
    ['certificates', () => certificatesFollow(node)],
    ['API', () => apiAnswersAt(node)],
    ['exec', () => execFollows(node, asked)],
    ['pods', async () => assert.deepEqual(await identityOf(node), identity)],
    ['data', async () => assert.equal(await node.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.word}']), 'hummingbird')],
    ['a new Deployment', () => assertClusterWorks(node, life.signal)],
  ];
  const times: string[] = [];
  for (const [name, part] of parts) times.push(`${name} ${inSeconds(await timed(part))}`);
  note(times.join(', '));
}
