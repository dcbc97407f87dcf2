import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { retry, toRfoError } from '@rfo/foundation';
import { apiStatus, isAlreadyExists, isConflict, isNotFound } from './api-status.ts';
import { createKubeClient, type KubeClient } from './client.ts';
import type { CustomResourceDefinition } from './kinds.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import type { KubeObject } from './object.ts';
import { startTestCluster, type TestCluster } from './testing.ts';
import { waitForObject } from './wait-for-object.ts';

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };
const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  ...kind,
  metadata: { name, namespace: 'default' },
  data,
});
const ref = (name: string) => ({ ...kind, name, namespace: 'default' });

describe('a client of a real API server', () => {
  let cluster: TestCluster;
  let client: KubeClient;
  before(async () => {
    cluster = await startTestCluster();
    client = cluster.client;
  });
  after(() => cluster.stop());

  it('creates, reads, patches and deletes an object', async () => {
    const created = await client.create(configMap('one', { a: '1' }));
    assert.ok(created.metadata.uid);
    assert.deepEqual((await client.get<ConfigMap>(ref('one'))).data, { a: '1' });
    const patched = await client.patch<ConfigMap>(ref('one'), { data: { b: '2' } });
    assert.deepEqual(patched.data, { a: '1', b: '2' });
    assert.equal(await client.delete(ref('one')), true);
    assert.equal(await client.delete(ref('one')), false);
    assert.equal(await client.find(ref('one')), undefined);
  });

  it('gives the Status of a refusal', async () => {
    await assert.rejects(client.get(ref('nowhere')), (error) => {
      assert.ok(isNotFound(error));
      assert.equal(apiStatus(error)?.reason, 'NotFound');
      assert.match(String(error), /refuses to get ConfigMap default\/nowhere: configmaps "nowhere" not found \(404, NotFound\)/);
      return true;
    });
    await client.create(configMap('twice'));
    await assert.rejects(client.create(configMap('twice')), isAlreadyExists);
    const old = await client.get<ConfigMap>(ref('twice'));
    await client.replace({ ...old, data: { x: '1' } });
    await assert.rejects(client.replace({ ...old, data: { x: '2' } }), isConflict);
  });

  it('applies fields as their manager, and takes over those of another only by force', async () => {
    await client.apply(configMap('applied', { a: '1', b: '1' }), { fieldManager: 'one' });
    const less = await client.apply(configMap('applied', { a: '1' }), { fieldManager: 'one' });
    assert.deepEqual(less.data, { a: '1' });
    await assert.rejects(client.apply(configMap('applied', { a: '2' }), { fieldManager: 'two' }), isConflict);
    const taken = await client.apply(configMap('applied', { a: '2' }), { fieldManager: 'two', force: true });
    assert.deepEqual(taken.data, { a: '2' });
  });

  it('lists more than a page, with apiVersion and kind in every item', async () => {
    const namespace = 'many';
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const names = Array.from({ length: 520 }, (_, index) => `item-${index}`);
    await Promise.all(names.map((name) => client.create({ ...kind, metadata: { name, namespace } })));
    const list = await client.list<ConfigMap>(kind, { namespace });
    assert.deepEqual(list.items.map(({ metadata }) => metadata.name).sort(), names.sort());
    assert.deepEqual(new Set(list.items.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)), new Set(['v1 ConfigMap']));
  });

  it('finds a kind that appeared after it was first asked for', async ({ signal }) => {
    const widget = { apiVersion: 'test.rfo.io/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'default' } };
    await assert.rejects(client.create(widget), { code: 'kube-kind-unknown' });
    await client.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.test.rfo.io' },
      spec: {
        group: 'test.rfo.io',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    });
    const established = (crd: CustomResourceDefinition): boolean =>
      crd.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
    const crdRef = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'widgets.test.rfo.io' };
    await waitForObject(client, crdRef, { accept: established, signal });
    // Discovery follows a moment after.
    const onError = (error: unknown): void => assert.equal(toRfoError(error).code, 'kube-kind-unknown');
    await retry(() => client.create(widget), { initial: 10, max: 100, signal, onError });
    const widgetRef = { apiVersion: 'test.rfo.io/v1', kind: 'Widget', name: 'w', namespace: 'default' };
    const withStatus = await client.patchStatus(widgetRef, { ready: true });
    assert.deepEqual(withStatus.status, { ready: true });
  });

  it('acts as another user with several groups', async () => {
    const other = createKubeClient({ ...cluster.options, impersonate: { user: 'ann', groups: ['red', 'blue'] } });
    assert.deepEqual(await whoAmI(other), { username: 'ann', groups: ['red', 'blue', 'system:authenticated'] });
    await assert.rejects(other.list(kind), (error) => apiStatus(error)?.reason === 'Forbidden');
    other.close();
  });

  it('uses a renewed certificate while it runs', async () => {
    const pair = cluster.issue('user', '/CN=before');
    const user = createKubeClient({ ...cluster.options, cert: { file: pair.cert }, key: { file: pair.key } });
    assert.equal((await whoAmI(user)).username, 'before');
    cluster.issue('user', '/CN=after');
    for (let name = ''; name !== 'after'; ) name = (await whoAmI(user)).username;
    user.close();
  });

  it('reads a kubeconfig whose files are named relative to it', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'rfo-kubeconfig-'));
    t.after(() => rm(folder, { recursive: true }));
    const { ca, cert, key } = cluster.options as { ca: { file: string }; cert: { file: string }; key: { file: string } };
    const path = join(folder, 'config.yaml');
    writeFileSync(
      path,
      [
        'current-context: c',
        'contexts: [{name: c, context: {cluster: c, user: u}}]',
        `clusters: [{name: c, cluster: {server: "${cluster.options.server}", certificate-authority: ..${ca.file.slice(tmpdir().length)}}}]`,
        `users: [{name: u, user: {client-certificate: ${cert.file}, client-key: ${key.file}}}]`,
      ].join('\n'),
    );
    const other = createKubeClient(await loadKubeconfig(path));
    assert.equal((await whoAmI(other)).username, 'admin');
    other.close();
    await assert.rejects(loadKubeconfig(path, 'x'), { code: 'kubeconfig-invalid' });
  });

  it('says that the server is away, and works again when it is back', async () => {
    await cluster.killApiServer();
    await assert.rejects(client.get(ref('twice')), { code: 'kube-unreachable' });
    await cluster.startApiServer();
    assert.equal((await client.get(ref('twice'))).metadata.name, 'twice');
  });

  it('ends a request with the reason of its signal', async () => {
    await assert.rejects(client.get(ref('twice'), { signal: AbortSignal.abort(new Error('enough')) }), /^Error: enough$/);
    const controller = new AbortController();
    const events = client.watchOnce(kind, { query: {}, idle: 60_000, signal: controller.signal });
    await events.next();
    controller.abort(new Error('enough'));
    await assert.rejects(async () => {
      for await (const _ of events);
    }, /^Error: enough$/);
  });

  it('refuses everything after it was closed', async () => {
    const other = createKubeClient(cluster.options);
    await other.get(ref('twice'));
    other.close();
    await assert.rejects(other.get(ref('twice')), { code: 'kube-unreachable' });
  });
});

async function whoAmI(client: KubeClient): Promise<{ username: string; groups: string[] }> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} };
  const { text } = await client.raw({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: JSON.stringify(review),
    headers: { 'content-type': 'application/json' },
  });
  const { status } = JSON.parse(text) as { status: { userInfo: { username: string; groups: string[] } } };
  return { username: status.userInfo.username, groups: status.userInfo.groups };
}
