// Lists of what is in a cluster: a real API server says who sees what.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { retry } from '@rfo/foundation';
import type { Json } from '../api/api.testing.ts';
import { startWatchLab, type WatchLab } from './watches.testing.ts';

let lab: WatchLab;
let viewer: string;
let stranger: string;

before(async () => {
  lab = await startWatchLab();
  viewer = await lab.member('vera', 'viewer');
  stranger = await lab.someone('sven');
  await lab.configMap('shop', 'shop-1', { colour: 'red', size: '10' }, { tier: 'front' });
  await lab.configMap('shop', 'shop-2', { colour: 'blue', size: '9' }, { tier: 'back' });
  await lab.configMap('web', 'web-1', { colour: 'red' }, { tier: 'front' });
});
after(() => lab?.stop());

const names = ({ json }: { readonly json: Json }): readonly string[] => json.items.map(({ metadata }: Json) => metadata.name);
const ours = { filter: 'metadata.labels.tier!=' };

async function eventually<T>(ask: () => Promise<T>, accept: (answer: T) => boolean): Promise<T> {
  return await retry(
    async () => {
      const answer = await ask();
      if (accept(answer)) return answer;
      throw new Error(`it is ${JSON.stringify(answer).slice(0, 1000)}`);
    },
    { initial: 20, max: 200, signal: AbortSignal.timeout(90_000) },
  );
}

async function refused(asked: ReturnType<WatchLab['list']>, status: number, code: string): Promise<string> {
  const answer = await asked;
  assert.deepEqual([answer.status, answer.json.code], [status, code], answer.text);
  return answer.json.message;
}

describe('a list of a resource of a cluster', () => {
  it('shows an administrator everything, as whole objects without what nobody looks at', async () => {
    const answer = await lab.list(lab.admin, 'core/v1/configmaps', { selector: 'tier', sort: 'name' });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(names(answer), ['shop-1', 'shop-2', 'web-1']);
    const [first] = answer.json.items;
    const whole = await lab.client.get<Json>({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'shop-1' });
    const { managedFields: _, ...metadata } = whole.metadata;
    assert.deepEqual(first, { ...whole, metadata });
  });

  it('filters, sorts and pages it, and counts all that fits', async () => {
    const query = { selector: 'tier', filter: ['data.colour=red', 'metadata.namespace~S'] };
    assert.deepEqual(names(await lab.list(lab.admin, 'core/v1/configmaps', query)), ['shop-1']);
    const sorted = { selector: 'tier', sort: '-data.size', pageSize: '1' };
    const first = await lab.list(lab.admin, 'core/v1/configmaps', sorted);
    assert.deepEqual([names(first), first.json.total, first.json.page, first.json.pageSize], [['shop-1'], 3, 1, 1]);
    const second = await lab.list(lab.admin, 'core/v1/configmaps', { ...sorted, cursor: first.json.next });
    assert.deepEqual(names(second), ['shop-2']);
    assert.deepEqual(names(await lab.list(lab.admin, 'core/v1/configmaps', { ...sorted, page: '2' })), ['shop-2']);
  });

  it('shows what was changed a moment ago as soon as the cluster tells it', async () => {
    const client = await lab.connect(lab.admin);
    client.send({
      type: 'subscribe',
      id: 'a',
      of: { cluster: 'local', group: 'core', version: 'v1', resource: 'configmaps' },
      filter: ['name=later'],
    });
    await client.page('a', ({ total }) => total === 0);
    await lab.configMap('web', 'later', {});
    await client.page('a', ({ total }) => total === 1);
    assert.deepEqual(names(await lab.list(lab.admin, 'core/v1/configmaps', { filter: 'name=later' })), ['later']);
    client.socket.close();
  });

  it('shows a member of a project what stands in its namespaces, and nothing of others', async () => {
    assert.deepEqual(names(await lab.list(viewer, 'core/v1/configmaps', { selector: 'tier' })), ['shop-1', 'shop-2']);
    assert.deepEqual(names(await lab.list(viewer, 'core/v1/configmaps', { namespace: 'shop', selector: 'tier=back' })), ['shop-2']);
    const answer = await lab.list(viewer, 'core/v1/configmaps', { filter: 'metadata.namespace=web' });
    assert.deepEqual([answer.json.items, answer.json.total, answer.json.next], [[], 0, undefined]);
    const hidden = await lab.list(viewer, 'core/v1/configmaps', { search: 'web-1' });
    assert.equal(hidden.json.total, 0);
  });

  it('refuses what the cluster would refuse, and tells what', async () => {
    assert.match(
      await refused(lab.list(viewer, 'core/v1/configmaps', { namespace: 'web' }), 403, 'resource-forbidden'),
      /namespace web of cluster local/,
    );
    await refused(lab.list(viewer, 'core/v1/secrets', { namespace: 'shop' }), 403, 'resource-forbidden');
    await refused(lab.list(viewer, 'core/v1/nodes'), 403, 'resource-forbidden');
    await refused(lab.list(stranger, 'core/v1/configmaps'), 403, 'cluster-forbidden');
    assert.equal((await lab.list(viewer, 'core/v1/secrets')).json.total, 0);
    assert.equal((await lab.ask({ path: '/clusters/local/resources/core/v1/pods' })).status, 401);
  });

  it('never holds the values of secrets', async () => {
    await lab.client.create({
      ...{
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'key', namespace: 'shop', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'geheim' } },
      },
      ...{ type: 'Opaque', stringData: { password: 'geheim' } },
    });
    // Who asked before has made an index, which hears of it a moment later.
    const answer = await eventually(
      () => lab.list(lab.admin, 'core/v1/secrets', { namespace: 'shop' }),
      ({ json }) => json.total === 1,
    );
    assert.deepEqual([names(answer), answer.json.items[0].type], [['key'], 'Opaque']);
    assert.doesNotMatch(answer.text, /geheim|Z2VoZWlt|"data"/);
    assert.equal((await lab.list(lab.admin, 'core/v1/secrets', { filter: 'data.password=Z2VoZWlt' })).json.total, 0);
  });

  it('serves groups beside the core, and tells of what a cluster does not have', async () => {
    const roles = await lab.list(lab.admin, 'rbac.authorization.k8s.io/v1/clusterroles', { filter: 'name=look' });
    assert.deepEqual([names(roles), roles.json.items[0].kind], [['look'], 'ClusterRole']);
    assert.match(await refused(lab.list(lab.admin, 'core/v1/unicorns'), 404, 'resource-unknown'), /unicorns of v1/);
    await refused(lab.list(lab.admin, 'example.com/v1/things'), 404, 'resource-unknown');
    await refused(lab.list(lab.admin, 'authentication.k8s.io/v1/selfsubjectreviews'), 404, 'resource-unknown');
    await refused(lab.list(lab.admin, 'rbac.authorization.k8s.io/v1/clusterroles', { namespace: 'shop' }), 400, 'api-request-invalid');
    const gone = await lab.ask({ token: lab.admin, path: '/clusters/nowhere/resources/core/v1/pods' });
    assert.deepEqual([gone.status, gone.json.code], [404, 'cluster-away-unknown']);
    await lab.parts.objects.clusters.create({ metadata: { name: 'away' }, spec: {} });
    const away = await lab.ask({ token: lab.admin, path: '/clusters/away/resources/core/v1/pods' });
    assert.deepEqual([away.status, away.json.code], [503, 'cluster-away']);
  });

  it('tells what a cluster has, to whoever may enter it', async () => {
    const { json } = await lab.ask({ token: viewer, path: '/clusters/local/resources' });
    const pods = json.items.find(({ resource, group }: Json) => resource === 'pods' && group === 'core');
    assert.deepEqual(pods, {
      group: 'core',
      version: 'v1',
      resource: 'pods',
      kind: 'Pod',
      singular: 'pod',
      shortNames: ['po'],
      namespaced: true,
    });
    assert.ok(json.items.some(({ resource, group }: Json) => resource === 'projects' && group === 'rfo.io'));
    assert.ok(!json.items.some(({ resource }: Json) => resource === 'selfsubjectreviews' || resource.includes('/')));
    const refusal = await lab.ask({ token: stranger, path: '/clusters/local/resources' });
    assert.deepEqual([refusal.status, refusal.json.code], [403, 'cluster-forbidden']);
  });

  it('takes no path that leads elsewhere, and no query that it does not know', async () => {
    for (const resource of ['core/v1/pods%2Flog', '..%2f..%2f/v1/pods', 'core/v1/Pods', 'core/v1/pods%3Fwatch=1'])
      await refused(lab.list(lab.admin, resource), 400, 'api-request-invalid');
    for (const query of [
      { selector: 'a b' },
      { filter: 'x' },
      { pageSize: '1001' },
      { cursor: 'x' },
      { namespace: '../x' },
      { limit: '1' },
    ] as const)
      await refused(lab.list(lab.admin, 'core/v1/configmaps', query as Readonly<Record<string, string>>), 400, 'api-request-invalid');
  });

  it('is for tokens that are limited to clusters too, and only to those', async () => {
    const caller = lab.administrator();
    const narrow = async (clusters: string[]) =>
      (await lab.parts.identity.createToken({ caller, kind: 'kubeconfig', readOnly: true, clusters })).credential;
    assert.equal((await lab.list(await narrow(['local']), 'core/v1/configmaps', ours)).status, 200);
    await refused(lab.list(await narrow(['other']), 'core/v1/configmaps'), 403, 'token-elsewhere');
  });

  it('stands in the document of the interface', async () => {
    const { json } = await lab.ask({ path: '/openapi.json' });
    const { get } = json.paths['/api/v1/clusters/{cluster}/resources/{group}/{version}/{resource}'];
    const parameters = get.parameters.map(({ name }: Json) => name);
    assert.deepEqual(parameters.slice(0, 4), ['cluster', 'group', 'version', 'resource']);
    assert.ok(
      ['filter', 'selector', 'search', 'sort', 'page', 'pageSize', 'cursor', 'namespace'].every((name) => parameters.includes(name)),
    );
  });
});
