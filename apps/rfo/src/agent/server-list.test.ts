import assert from 'node:assert/strict';
import { EventEmitter, on } from 'node:events';
import { after, before, describe, it, type TestContext } from 'node:test';
import { createLog, Life, silentLog } from '@rfo/foundation';
import { createKubeClient, type KubeClient, type KubeObject, startTestCluster, type TestCluster } from '@rfo/kube';
import { createServerList, type ServerListOptions } from './server-list.ts';

const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: 'default', name: 'kubernetes' };

describe('the list of servers', () => {
  let cluster: TestCluster;
  /** What every node's own controllers act as. */
  let controller: KubeClient;
  before(async () => {
    cluster = await startTestCluster();
    const { cert, key } = cluster.issue('controller', '/CN=system:rfo-controller');
    controller = createKubeClient({ ...cluster.options, cert: { file: cert }, key: { file: key } });
    for (const object of rights) await cluster.client.apply(object, { fieldManager: 'test' });
  });
  after(async () => {
    controller.close();
    await cluster.stop();
  });

  /** Enters API servers as they do themselves. */
  const enter = (servers: Readonly<Record<string, boolean>>): Promise<unknown> =>
    cluster.client.apply(sliceOf(servers), { fieldManager: 'test', force: true });

  function setUp(t: TestContext, options: Partial<ServerListOptions> & { initial: readonly string[] }) {
    const life = new Life();
    t.after(() => life.end());
    const list = createServerList({ client: controller, life, log: silentLog, gatherFor: 20, forgetAfter: 300, ...options });
    const changes = new EventEmitter();
    list.onChange((servers) => void changes.emit('change', servers));
    // From now on: a change may come before the request that has brought it is answered.
    const heard = on(changes, 'change', { signal: t.signal });
    const change = async (): Promise<readonly string[]> => (await heard.next()).value?.[0];
    return { list, change };
  }

  it('takes in what the API servers enter, and forgets a configured name that none of them has', async (t) => {
    await enter({ '192.0.2.1': true, '192.0.2.2': true });
    const { list, change } = setUp(t, { initial: ['server.example', '192.0.2.1'] });
    assert.deepEqual(list.current(), ['server.example', '192.0.2.1']);
    assert.deepEqual(await change(), ['server.example', '192.0.2.1', '192.0.2.2']);
    assert.deepEqual(await change(), ['192.0.2.1', '192.0.2.2']);
    assert.deepEqual(list.current(), ['192.0.2.1', '192.0.2.2']);
  });

  it('keeps a server that is away for a short time, and one that does not accept connections is away', async (t) => {
    await enter({ '192.0.2.1': true, '192.0.2.2': true });
    const { change } = setUp(t, { initial: ['192.0.2.1', '192.0.2.2'], gatherFor: 0, forgetAfter: 4_000 });
    await enter({ '192.0.2.1': true, '192.0.2.2': false });
    await enter({ '192.0.2.1': true, '192.0.2.2': true, '192.0.2.3': true });
    assert.deepEqual(await change(), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    await enter({ '192.0.2.2': false, '192.0.2.3': true });
    assert.deepEqual(await change(), ['192.0.2.3']);
  });

  it('takes an empty list for a fault and keeps what it has', async (t) => {
    await enter({ '192.0.2.1': true });
    const { list, change } = setUp(t, { initial: ['192.0.2.1'] });
    await enter({});
    await enter({ '192.0.2.4': true });
    assert.deepEqual(await change(), ['192.0.2.1', '192.0.2.4']);
    assert.deepEqual(await change(), ['192.0.2.4']);
    assert.deepEqual(list.current(), ['192.0.2.4']);
  });

  it('keeps what it has while the API is away, also what it was about to forget, and goes on when it is back', async (t) => {
    await enter({ '192.0.2.1': true, '192.0.2.2': true });
    const asked = Promise.withResolvers<void>();
    const write = (line: string): void => {
      if (line.includes('cannot ask which servers there are')) asked.resolve();
    };
    const { list, change } = setUp(t, { initial: ['192.0.2.1', '192.0.2.2'], log: createLog({ write, level: 'debug' }) });
    await enter({ '192.0.2.1': true, '192.0.2.3': true });
    assert.deepEqual(await change(), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    await cluster.killApiServer();
    await asked.promise;
    assert.deepEqual(list.current(), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    const next = change();
    await cluster.startApiServer();
    assert.deepEqual(await next, ['192.0.2.1', '192.0.2.3']);
  });
});

function sliceOf(servers: Readonly<Record<string, boolean>>): KubeObject {
  const { apiVersion, kind, ...metadata } = slice;
  return {
    ...{ apiVersion, kind, metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } } },
    addressType: 'IPv4',
    endpoints: Object.entries(servers).map(([address, ready]) => ({ addresses: [address], conditions: { ready } })),
    ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
  };
}

const rbac = 'rbac.authorization.k8s.io';
const rights: readonly KubeObject[] = [
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'servers' },
    rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] }],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'servers' },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'servers' },
    subjects: [{ apiGroup: rbac, kind: 'User', name: 'system:rfo-controller' }],
  },
];
