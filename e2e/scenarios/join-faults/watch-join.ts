/** How a join gets on, seen from outside: in the log of the joining node, on its disk, and in the cluster. */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@rfo/foundation';
import { etcdctl, etcdMembers, isVoting } from '../../harness/etcdctl.ts';
import { eventually } from '../../harness/eventually.ts';
import { bounded, type Node } from '../../harness/node.ts';
import { assertClusterWorks } from '../../harness/probe.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

/** From now on: gives what rfo has said on the node since. */
export async function listenTo({ host }: Node): Promise<() => Promise<readonly string[]>> {
  const file = join(host.dir, 'logs/rfo.log');
  const from = await stat(file).then(
    ({ size }) => size,
    (error: unknown) => {
      if (systemCode(error) === 'ENOENT') return 0;
      throw error;
    },
  );
  return async () => (await readFile(file)).subarray(from).toString('utf8').split('\n');
}

export function nodeNames(first: Node): Promise<string> {
  return first.kubectl(['get', 'nodes', '-o', 'name']);
}

/** etcd has this one member, and it votes. */
export async function assertAlone(first: Node): Promise<void> {
  const members = await etcdMembers(first);
  assert.deepEqual(members, [{ name: first.host.name, peerURLs: [`https://${first.host.ip}:2380`], isLearner: false }]);
}

/**
 * Waits until the running rfo says this, or that the node is ready, which ends every join; tells which. An rfo that ends is started
 * again, as systemd does.
 */
export async function untilSaid(node: Node, pattern: RegExp, context: ScenarioContext): Promise<'said' | 'ready'> {
  const { signal } = context.life;
  const search = async (): Promise<'said' | 'ready'> => {
    for (let starts = 0; starts < 20; starts++) {
      for await (const line of node.service().lines(signal)) {
        if (pattern.test(line)) return 'said';
        if (/: the node is ready$/.test(line)) return 'ready';
      }
      context.note(`rfo on ${node.host.name} ended with exit code ${await node.service().exited}, and is started again`);
      await node.start();
    }
    assert.fail(`rfo on ${node.host.name} ends again and again`);
  };
  return await bounded(search(), { signal, what: `${pattern} on ${node.host.name}`, within: 420_000 });
}

/** Waits until the node is Ready; of a server also until it votes. */
export async function untilJoined(node: Node, given: { readonly through: Node; readonly context: ScenarioContext }): Promise<void> {
  const { through, context } = given;
  await untilSaid(node, /: the node is ready$/, context);
  await node.untilNodeReady({ through });
  if (node.role === 'agent') return;
  const votes = async (): Promise<true | undefined> => ((await isVoting(node, through)) ? true : undefined);
  await eventually(`the vote of ${node.host.name}`, votes, { signal: context.life.signal, within: 60_000 });
}

/** These servers, and no others, are one cluster: the same members, data and Nodes wherever one asks. */
export async function assertOneCluster(servers: readonly Node[], { life }: ScenarioContext): Promise<void> {
  const wanted = servers.map(({ host }) => `https://${host.ip}:2380 votes`).sort();
  for (const server of servers) {
    const members = (await etcdMembers(server)).map(({ peerURLs, isLearner }) => `${peerURLs.join(' ')} ${isLearner ? 'learns' : 'votes'}`);
    assert.deepEqual(members.sort(), wanted, `members as ${server.host.name} knows them`);
  }
  const identities = await Promise.all(servers.map(identityOf));
  for (const identity of identities) assert.deepEqual(identity, identities[0]);
  for (const server of servers) await assertClusterWorks(server, life.signal);
}

/** Of etcd's cluster and of Kubernetes'. */
async function identityOf(server: Node): Promise<readonly unknown[]> {
  const [status] = JSON.parse(await etcdctl(server, ['endpoint', 'status', '-w', 'json'])) as readonly [
    { readonly Status: { readonly header: { readonly cluster_id: unknown } } },
  ];
  const uid = await server.kubectl(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}']);
  return [status.Status.header.cluster_id, uid, await nodeNames(server)];
}
