/** What becomes of members of etcd, as an administrator sees it. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { etcdMembers } from '../../harness/etcdctl.ts';
import { eventually } from '../../harness/eventually.ts';
import { bounded, dataDir, type Node, untilLine } from '../../harness/node.ts';

type Asked = { readonly at: Node; readonly signal: AbortSignal };

/** Waits until exactly these servers vote and nobody else is in the cluster. */
export async function untilVoters(servers: readonly Node[], { at, signal }: Asked): Promise<void> {
  const wanted = servers.map(({ host }) => `https://${host.ip}:2380`).sort();
  const look = async (): Promise<true> => {
    const members = await etcdMembers(at);
    const seen = members.flatMap(({ peerURLs, isLearner }) => (isLearner ? peerURLs.map((url) => `${url} (learner)`) : peerURLs)).sort();
    assert.ok(isDeepStrictEqual(seen, wanted), `the members are ${seen.join(' ')}`);
    return true;
  };
  await eventually(`the votes of ${servers.map(({ host }) => host.name).join(', ')}`, look, { signal, within: 60_000 });
}

/** Deletes the Node as an administrator does, and waits until it is gone. Gives milliseconds. */
export async function deleteNode(name: string, { at, signal }: Asked): Promise<number> {
  const begin = performance.now();
  await at.kubectl(['delete', 'node', name, '--timeout=120s'], { signal, timeout: 130_000 });
  return performance.now() - begin;
}

/** Waits for an Event of this reason about a node; gives its text. */
export async function untilEvent(reason: string, { about, at, signal }: Asked & { readonly about: string }): Promise<string> {
  const selector = `reason=${reason},involvedObject.kind=Node,involvedObject.name=${about}`;
  const ask = ['get', 'events', '-A', '--field-selector', selector, '-o', 'jsonpath={.items[*].message}'];
  const look = async (): Promise<string | undefined> => (await at.kubectl(ask)) || undefined;
  return await eventually(`the Event ${reason} of ${about}`, look, { signal, within: 60_000 });
}

/** Waits for the end of an rfo that cannot go on, and for its sentence; gives its exit code. */
export async function untilRefused(node: Node, sentence: RegExp, signal: AbortSignal): Promise<number> {
  const options = { signal, within: 120_000 };
  await untilLine(node.service(), sentence, options);
  return await bounded(node.service().exited, { ...options, what: `the end of rfo on ${node.host.name}` });
}

/** Hashes of all that a server keeps of its cluster: etcd's data, certificates, what it knows of its membership. */
export async function keptFiles(node: Node): Promise<string> {
  const script = `cd ${dataDir}/server && find db tls cred token -type f | sort | xargs sha256sum`;
  return await node.host.must(['sh', '-ec', script]);
}

/** Folders of data that were moved aside. */
export async function backups(node: Node): Promise<readonly string[]> {
  const names = (await node.host.must(['ls', `${dataDir}/server/db`])).split('\n');
  return names.filter((name) => /^etcd-backup-\d+$/.test(name));
}
