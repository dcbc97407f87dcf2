import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Life } from '@rfo/foundation';
import { type KubeObject, readEntries, renderEntries, type Secret, secretKind } from '@rfo/kube';
import { agentName, agentNamespace, agentSecretKeys } from '@rfo/schema';
import {
  type Agent,
  importCluster,
  type Lab,
  type Replica,
  startAgent,
  startLab,
  startReplica,
  until,
  untilCluster,
} from './clusters.testing.ts';
import { parseAgentToken } from './secret-token.ts';

const timeout = 240_000;
const secretOf = { ...secretKind, namespace: agentNamespace, name: agentName };

describe('a cluster that only dials out', { timeout }, () => {
  let lab: Lab;
  let one: Replica;
  let account: string;
  let token: string;
  let agent: Agent;
  let leading: Life;

  before(async () => {
    lab = await startLab();
    one = await startReplica(lab, 'one');
    await lab.objects.settings.create({ metadata: { name: 'server-url' }, spec: { value: `https://127.0.0.1:${one.port}` } });
    leading = one.life.child();
    void one.connections.lead(leading);
  });
  after(() => lab?.life.end());

  const secret = async (): Promise<Record<string, string>> => readEntries(await lab.cluster.client.get<Secret>(secretOf));
  /** What the API server says of the caller, asked through a stream. */
  const whoAmI = async (replica: Replica): Promise<string> => {
    const { stream, tls, token: bearer } = await replica.connections.connect('edge');
    const socket = connectTls({ ...tls, socket: stream, ALPNProtocols: ['http/1.1'] });
    return new Promise((resolve, reject) => {
      const request = get(
        'https://cluster/apis/authentication.k8s.io/v1',
        { createConnection: () => socket, headers: { authorization: `Bearer ${bearer()}` } },
        (response) => {
          response.resume().once('end', () => {
            resolve(`${response.statusCode} ${socket.authorized}`);
            socket.destroy();
          });
        },
      );
      request.once('error', reject);
    });
  };

  it('is imported by one manifest, and its API is reached through its agent', async () => {
    ({ account, token } = await importCluster(lab, one.connections, 'edge'));
    assert.equal(one.connections.clientOf('edge'), undefined);
    await assert.rejects(one.connections.connect('edge'), { code: 'cluster-away', message: /no agent is connected/ });
    agent = await startAgent(lab, account);
    await until(one.connections, 'edge', ({ connected }) => connected);
    assert.equal(await whoAmI(one), '200 true');
    const client = one.connections.clientOf('edge') ?? assert.fail('no client');
    const namespaces = await client.list({ apiVersion: 'v1', kind: 'Namespace' });
    assert.ok(namespaces.items.some(({ metadata }) => metadata.name === agentNamespace));
    assert.equal((await agent.ready()).status, 200);
  });

  it('has a token of its own then, and the import address is used up', async () => {
    assert.equal(parseAgentToken((await secret())[agentSecretKeys.token] ?? '')?.kind, 'cluster');
    await assert.rejects(one.connections.importManifest(token), { code: 'registration-unknown' });
    const kept = await lab.cluster.client.list<Secret>(secretKind, { namespace: agentNamespace });
    const own = parseAgentToken((await secret())[agentSecretKeys.token] ?? '')?.secret ?? assert.fail('no token');
    const manager = kept.items.filter(({ metadata }) => metadata.name !== agentName).flatMap((each) => Object.values(readEntries(each)));
    assert.ok(manager.length > 0 && manager.every((text) => !text.includes(own)));
  });

  it('shows in its status that it is well', async () => {
    const status = await untilCluster(lab.objects, 'edge', (cluster) => {
      const { status: is } = cluster ?? {};
      return is?.phase === 'Active' &&
        is.nodes !== undefined &&
        is.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True')
        ? is
        : undefined;
    });
    assert.match(status.kubernetesVersion ?? '', /^v1\./);
    assert.deepEqual(
      status.components?.find(({ name }) => name === 'etcd'),
      { name: 'etcd', healthy: true },
    );
    assert.deepEqual([status.agent?.via, status.nodes], ['deployment', { total: 0, ready: 0 }]);
    assert.equal(status.apiServer, lab.cluster.options.server);
    assert.equal(
      lab.objects.clusters.get('local')?.status?.agent?.via ??
        (await untilCluster(lab.objects, 'local', (found) => found?.status?.agent?.via)),
      'local',
    );
  });

  it('is reached by another replica that holds no session, and by its second agent when the first dies', async () => {
    const two = await startReplica(lab, 'two');
    // At once: it may be asked from the moment that it says it is ready.
    assert.equal(two.connections.state('edge').connected, true);
    assert.equal(await whoAmI(two), '200 true');
    const client = two.connections.clientOf('edge') ?? assert.fail('no client');
    await client.get({ apiVersion: 'v1', kind: 'Namespace', name: agentNamespace });
    const second = await startAgent(lab, account, { name: 'agent-2' });
    await until(two.connections, 'edge', ({ sessions }) => sessions === 2);
    await agent.stop();
    await until(two.connections, 'edge', ({ sessions }) => sessions === 1);
    assert.equal(await whoAmI(one), '200 true');
    assert.equal(await whoAmI(two), '200 true');
    agent = second;
    await two.life.end();
  });

  it('gets the address and the authority of tomorrow beside those of today, and tells that it has them', async () => {
    const next = 'https://next.example.com';
    await lab.objects.settings.create({ metadata: { name: 'server-url-next' }, spec: { value: next } });
    await agent.logged(/the manager has told where it is .*next\.example\.com/);
    const settings = JSON.parse((await secret())[agentSecretKeys.settings] ?? '') as {
      readonly servers: readonly string[];
      readonly ca: string;
    };
    assert.deepEqual(settings.servers, [`https://127.0.0.1:${one.port}`, next]);
    assert.ok(settings.ca.includes(lab.ca.trim()));
    await untilCluster(lab.objects, 'edge', (cluster) =>
      cluster?.status?.conditions.find(({ type, status }) => type === 'AgentSettled' && status === 'True'),
    );
    await until(one.connections, 'edge', () => one.connections.settingsProgress().moved === 1);
    assert.deepEqual(one.connections.settingsProgress(), { total: 1, moved: 1, waiting: [] });
    const deleted = agent.logged(/the manager has told where it is servers=https:\/\/127\.0\.0\.1:\d+$/);
    await lab.objects.settings.delete('server-url-next');
    await deleted;
  });

  it('says why it is away, and keeps what it said of itself', async () => {
    await agent.stop();
    const status = await untilCluster(lab.objects, 'edge', (cluster) => (cluster?.status?.phase === 'Away' ? cluster.status : undefined));
    assert.equal(status.agent?.reason, 'Disconnected');
    assert.match(status.agent?.message ?? '', /the connection to its last agent ended/);
    assert.ok(status.agent?.lastSeen !== undefined);
    assert.match(status.kubernetesVersion ?? '', /^v1\./);
  });

  it('is connected by a node while its Deployment is not, and no longer', async () => {
    const node = await startAgent(lab, account, { via: 'node', name: 'node-agent-1' });
    await until(one.connections, 'edge', ({ connected, via }) => connected && via === 'node');
    assert.equal(await whoAmI(one), '200 true');
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: agentNamespace, name: agentName };
    const set = (readyReplicas: number) => lab.cluster.client.patchStatus(deployment, { replicas: 2, readyReplicas });
    await set(1);
    await until(one.connections, 'edge', ({ connected }) => !connected);
    assert.equal((await node.ready()).status, 503);
    await set(0);
    await until(one.connections, 'edge', ({ connected }) => connected);
    await node.stop();
  });

  it('reaches a manager behind a hop that speaks HTTP alone, and its agent says that this is the slower way', async () => {
    const hop = createServer({ ...lab.issue('hop'), ALPNProtocols: ['http/1.1'] }).on('upgrade', one.connections.handleUpgrade);
    await once(hop.listen(0, '127.0.0.1'), 'listening');
    lab.life.defer(() => hop.close());
    const { port } = hop.address() as AddressInfo;
    const settings = JSON.parse((await secret())[agentSecretKeys.settings] ?? '') as object;
    const data = renderEntries({ [agentSecretKeys.settings]: JSON.stringify({ ...settings, servers: [`https://127.0.0.1:${port}`] }) });
    await lab.cluster.client.patch(secretOf, { data });
    const behind = await startAgent(lab, account, { name: 'agent-behind' });
    await behind.logged(/the tunnel is open .*via="a WebSocket/);
    await until(one.connections, 'edge', ({ connected }) => connected);
    assert.equal(await whoAmI(one), '200 true');
    await behind.stop();
  });

  it('lets nobody upgrade without a token of a cluster', async () => {
    for (const authorization of ['', 'Bearer nonsense', `Bearer rfor_${'0'.repeat(12)}_${'0'.repeat(64)}`]) {
      const request = get({
        ...{ host: '127.0.0.1', port: one.port, path: '/connect', ca: lab.ca },
        headers: {
          'connection': 'Upgrade',
          'upgrade': 'websocket',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          'sec-websocket-version': '13',
          authorization,
        },
      });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      assert.equal(response.statusCode, 401, authorization);
      response.resume();
    }
  });

  it('refuses an agent whose token is wrong and tells it so; the status does not follow what anybody could send', async () => {
    const { data = {} } = await lab.cluster.client.get<Secret>(secretOf);
    const wrong = `rfoc_edge_${'0'.repeat(12)}_${'0'.repeat(64)}`;
    await lab.cluster.client.patch(secretOf, { data: renderEntries({ [agentSecretKeys.token]: wrong }) });
    const refused = await startAgent(lab, account, { name: 'agent-3' });
    await refused.logged(/TokenRefused: .*its token is none of its cluster/);
    assert.match((await refused.ready()).text, /^TokenRefused: /);
    assert.notEqual(lab.objects.clusters.get('edge')?.status?.agent?.reason, 'TokenRefused');
    await lab.cluster.client.patch(secretOf, { data });
    // It reads the Secret again by itself, and tells why it was away.
    await until(one.connections, 'edge', ({ connected }) => connected);
    await untilEvent(lab, 'TokenRefused');
    agent = refused;
  });

  it('is kept by a replica that is about to end, as long as its agent finds no other one', async () => {
    const three = await startReplica(lab, 'three');
    assert.equal(three.connections.state('edge').connected, true);
    one.connections.retire();
    await agent.logged(/the manager sends this agent to another replica/);
    for (const each of [one, three]) assert.equal(await whoAmI(each), '200 true');
    await three.life.end();
  });

  it('is let go without leftovers: everything of the agent belongs to the binding that is removed', async () => {
    const { client } = lab.cluster;
    await lab.objects.clusters.delete('edge');
    await untilCluster(lab.objects, 'edge', (cluster) => (cluster === undefined ? true : undefined));
    const binding = await client.find({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', name: agentName });
    assert.equal(binding, undefined);
    for (const [apiVersion, kind, name] of [
      ['apps/v1', 'Deployment', agentName],
      ['apps/v1', 'DaemonSet', `${agentName}-node`],
      ['v1', 'Secret', agentName],
      ['v1', 'ServiceAccount', agentName],
    ] as const) {
      const found = await client.get<KubeObject>({ apiVersion, kind, namespace: agentNamespace, name });
      assert.equal(found.metadata.ownerReferences?.[0]?.kind, 'ClusterRoleBinding', kind);
    }
    const namespace = await client.get<KubeObject>({ apiVersion: 'v1', kind: 'Namespace', name: agentNamespace });
    assert.equal(namespace.metadata.ownerReferences, undefined, 'it holds what is not of the agent');
    const { items } = await client.list(secretKind, { namespace: agentNamespace, labelSelector: 'rfo.io/cluster=edge' });
    assert.deepEqual(items, []);
    await agent.logged(/ClusterRemoved|TokenUnknown|TokenRefused/);
  });
});

/** Resolves when an Event with this reason stands at the Cluster. */
async function untilEvent({ cluster, life }: Lab, reason: string): Promise<void> {
  const { watch } = await import('@rfo/kube');
  const signal = AbortSignal.any([life.signal, AbortSignal.timeout(90_000)]);
  for await (const item of watch<KubeObject>({
    client: cluster.client,
    kind: { apiVersion: 'v1', kind: 'Event' },
    namespace: 'default',
    onError: () => undefined,
    signal,
  })) {
    if (item.type === 'added' && item.object.reason === reason) return;
  }
  throw new Error(`no Event ${reason}`);
}
