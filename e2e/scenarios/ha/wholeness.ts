/** Whether a cluster is what it was: its members, its nodes, the ways to them. */
import assert from 'node:assert/strict';
import type { Cluster } from '../../harness/cluster.ts';
import { etcdctl, etcdMembers } from '../../harness/etcdctl.ts';
import { eventually } from '../../harness/eventually.ts';
import { dataDir, type Node } from '../../harness/node.ts';

/** Waits until every server votes and answers, every Node is Ready, and every node has a tunnel to every server; says what took longest. */
export async function untilWhole(cluster: Cluster, signal: AbortSignal): Promise<string> {
  const patience = { signal, within: 180_000 };
  let slowest = { what: 'nothing', took: 0 };
  const look = async (what: string, ask: () => Promise<void>): Promise<void> => {
    const begin = performance.now();
    await eventually(what, async () => ask().then(() => true as const), patience);
    const took = performance.now() - begin;
    if (took > slowest.took) slowest = { what, took };
  };
  const { servers, agents } = cluster;
  await look('etcd as a whole', () => assertEtcdWhole(servers));
  for (const server of servers)
    await look(`the API of ${server.host.name}`, async () => void (await server.kubectl(['get', '--raw', '/readyz'])));
  const nodes = [...servers, ...agents];
  for (const { host } of nodes)
    await look(`Ready of ${host.name}`, async () => assert.equal((await readiness(host.name, cluster.first)).status, 'True'));
  for (const server of servers) await look(`all tunnels to ${server.host.name}`, () => assertTunnels(server, nodes));
  return slowest.what;
}

async function assertEtcdWhole(servers: readonly Node[]): Promise<void> {
  for (const server of servers) {
    const members = await etcdMembers(server);
    const expected = servers.map(({ host }) => `https://${host.ip}:2380`).sort();
    assert.deepEqual(members.flatMap(({ peerURLs }) => peerURLs).sort(), expected);
    assert.ok(!members.some(({ isLearner }) => isLearner), 'all vote');
    assert.equal((await etcdctl(server, ['alarm', 'list'])).trim(), '');
  }
  assert.equal(new Set((await statuses(servers)).map(({ Status }) => Status.leader)).size, 1, 'all know the same leader');
}

type Status = { readonly Endpoint: string; readonly Status: { readonly leader: number; readonly header: { readonly member_id: number } } };

/** Of every member; throws when one does not answer. */
async function statuses([first]: readonly Node[]): Promise<readonly Status[]> {
  assert.ok(first);
  return JSON.parse(await etcdctl(first, ['endpoint', 'status', '--cluster', '-w', 'json'])) as readonly Status[];
}

/** The server whose etcd leads; every member must answer. */
export async function etcdLeader(servers: readonly Node[]): Promise<Node> {
  // The ids are greater than what a number holds exactly; they are rounded alike.
  const leader = (await statuses(servers)).find(({ Status }) => Status.leader === Status.header.member_id);
  const found = servers.find(({ host }) => leader?.Endpoint.includes(`//${host.ip}:`));
  assert.ok(found, `nobody leads at ${leader?.Endpoint}`);
  return found;
}

/** Every member holds exactly the same. Nothing may be written meanwhile but by Kubernetes itself. */
export async function assertSameData(servers: readonly Node[]): Promise<void> {
  const [first] = servers;
  assert.ok(first);
  const status = JSON.parse(await etcdctl(first, ['endpoint', 'status', '-w', 'json'])) as { Status: { header: { revision: number } } }[];
  const revision = status[0]?.Status.header.revision;
  const answer = await etcdctl(first, ['endpoint', 'hashkv', '--cluster', `--rev=${revision}`, '-w', 'json']);
  const hashes = (JSON.parse(answer) as { HashKV: { hash: number; compact_revision?: number } }[]).map(({ HashKV }) => HashKV);
  assert.equal(hashes.length, servers.length);
  assert.equal(new Set(hashes.map(({ hash, compact_revision }) => `${hash} since ${compact_revision}`)).size, 1, answer);
}

/** The condition Ready of a node, and since when it is so. */
export async function readiness(name: string, through: Node): Promise<{ readonly status: string; readonly since: string }> {
  const path = '{range .status.conditions[?(@.type=="Ready")]}{.status} {.lastTransitionTime}{end}';
  const [status = '', since = ''] = (await through.kubectl(['get', 'node', name, '-o', `jsonpath=${path}`], { timeout: 10_000 })).split(
    ' ',
  );
  return { status, since };
}

/** By the metrics of the server, which its configuration must switch on. */
async function assertTunnels(server: Node, nodes: readonly Node[]): Promise<void> {
  const tls = `${dataDir}/server/tls`;
  const show = ['--cacert', `${tls}/server-ca.crt`, '--cert', `${tls}/client-admin.crt`, '--key', `${tls}/client-admin.key`];
  const page = await server.host.must(['curl', '-sSf', '-m5', ...show, 'https://127.0.0.1:9345/metrics']);
  const there = [...page.matchAll(/^rfo_node_tunnels\{node="([^"]+)"\} [1-9]/gm)].map(([, name]) => name);
  const wanted = nodes.filter((node) => node !== server).map(({ host }) => host.name);
  assert.deepEqual(there.sort(), wanted.sort(), `the tunnels to ${server.host.name}`);
}
