import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import {
  type EventObject,
  type KubeClient,
  type KubeObject,
  type ObjectRef,
  startTestCluster,
  type TestCluster,
  waitForObject,
  watch,
} from '@rfo/kube';
import { type Addon, addonKind } from './addon.ts';
import { renderManifest } from './stage-manifests.ts';
import { startAddons } from './start-addons.ts';

const charts = join(import.meta.dirname, '../../../../charts');
const variables = { CLUSTER_DNS: '10.43.0.10', CLUSTER_DOMAIN: 'cluster.local', CLUSTER_CIDR: '10.42.0.0/16', SYSTEM_DEFAULT_REGISTRY: '' };
const configMap = (name: string, data: Record<string, string> = {}, namespace = 'default'): string =>
  `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data })}\n---\n`;
const configMapRef = (name: string, namespace = 'default'): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
const addonRef = (name: string): ObjectRef => ({ ...addonKind, namespace: 'kube-system', name });

describe('the manifest directory on a real API server', () => {
  let cluster: TestCluster;
  let client: KubeClient;
  before(async () => {
    cluster = await startTestCluster();
    client = cluster.client;
  });
  after(() => cluster.stop());

  async function setUp(t: TestContext) {
    const directory = await mkdtemp(join(tmpdir(), 'rfo-addons-'));
    t.after(() => rm(directory, { recursive: true }));
    const { signal } = t;
    return {
      directory,
      write: (name: string, text: string) => writeFile(join(directory, name), text),
      start: async (disable: readonly string[] = []): Promise<Life> => {
        const life = new Life();
        t.after(() => life.end());
        await startAddons({ client, directory, disable, node: 'node-1', life, log: silentLog });
        return life;
      },
      /** Resolves when the Addon is in that state for the file's present content. */
      state: (name: string, reason: string) =>
        waitForObject<Addon>(client, addonRef(name), { accept: ({ status }) => status?.conditions?.[0]?.reason === reason, signal }),
      appears: (ref: ObjectRef) => waitForObject(client, ref, { accept: () => true, signal }),
      disappears: (ref: ObjectRef) => untilGone(client, ref, signal),
    };
  }

  it('applies the packaged manifests of a new cluster at once, and remembers what they hold', async (t) => {
    const { start, write, state } = await setUp(t);
    for (const file of ['rfo-coredns.yaml', 'rfo-metrics-server.yaml']) {
      await write(file, renderManifest(await readFile(join(charts, file), 'utf8'), { variables, file }));
    }
    await start();
    const service = await client.get<KubeObject & { spec: { clusterIP: string } }>({
      apiVersion: 'v1',
      kind: 'Service',
      namespace: 'kube-system',
      name: 'kube-dns',
    });
    assert.equal(service.spec.clusterIP, '10.43.0.10');
    await client.get({ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', name: 'v1beta1.metrics.k8s.io' });
    const addon = await state('rfo-coredns', 'Applied');
    assert.deepEqual(
      addon.status?.objects?.map(({ kind, name }) => `${kind} ${name}`),
      [
        'ServiceAccount coredns',
        'ClusterRole system:coredns',
        'ClusterRoleBinding system:coredns',
        'ConfigMap coredns',
        'Service kube-dns',
        'Deployment coredns',
      ],
    );
    await state('rfo-metrics-server', 'Applied');
    assert.deepEqual(new Set(await eventReasons(client, 'rfo-coredns', t.signal)), new Set(['ApplyingManifest', 'AppliedManifest']));
  });

  it('follows a file that is written, changed and deleted, in a new folder too', async (t) => {
    const { directory, start, write, appears, disappears } = await setUp(t);
    await start();
    await mkdir(join(directory, 'sub'));
    await write('sub/one.yaml', configMap('kept') + configMap('dropped'));
    await appears(configMapRef('dropped'));
    await write('sub/one.yaml', configMap('kept', { changed: 'yes' }));
    await disappears(configMapRef('dropped'));
    assert.deepEqual((await client.get<KubeObject>(configMapRef('kept'))).data, { changed: 'yes' });
    await rm(join(directory, 'sub', 'one.yaml'));
    await disappears(addonRef('one'));
    assert.equal(await client.find(configMapRef('kept')), undefined);
  });

  it('deletes what a file held that vanished while it was not running', async (t) => {
    const { directory, start, write, state, disappears } = await setUp(t);
    await write('away.yaml', configMap('away'));
    const life = await start();
    await state('away', 'Applied');
    await life.end();
    await rm(join(directory, 'away.yaml'));
    await start();
    await disappears(addonRef('away'));
    assert.equal(await client.find(configMapRef('away')), undefined);
  });

  it('keeps what moved to another file', async (t) => {
    const { directory, start, write, state, disappears } = await setUp(t);
    await write('old-name.yaml', configMap('moved'));
    await start();
    await state('old-name', 'Applied');
    const { uid } = (await client.get(configMapRef('moved'))).metadata;
    await rename(join(directory, 'old-name.yaml'), join(directory, 'new-name.yaml'));
    await state('new-name', 'Applied');
    await disappears(addonRef('old-name'));
    assert.equal((await client.get(configMapRef('moved'))).metadata.uid, uid);
  });

  it('applies an object as soon as its kind, in another file, is served, and its namespace is there', async (t) => {
    const { start, write, state } = await setUp(t);
    const gadget = { apiVersion: 'test.rfo.io/v1', kind: 'Gadget', metadata: { name: 'g', namespace: 'gadgets' }, spec: { size: 1 } };
    await write('a-gadget.yaml', JSON.stringify(gadget));
    await start();
    const waiting = await state('a-gadget', 'Waiting');
    assert.match(waiting.status?.error ?? '', /Gadget gadgets\/g: the Kubernetes API does not serve Gadget of test\.rfo\.io\/v1/);
    await write(
      'z-kinds.yaml',
      `${JSON.stringify(gadgetDefinition)}\n---\n${JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gadgets' } })}`,
    );
    await state('a-gadget', 'Applied');
    assert.deepEqual((await client.get<KubeObject>({ ...gadget, namespace: 'gadgets', name: 'g' })).spec, { size: 1 });
  });

  it('says what is wrong with a file, and deletes nothing because of it', async (t) => {
    const { start, write, state } = await setUp(t);
    await write('broken.yaml', configMap('survivor'));
    await start();
    await state('broken', 'Applied');
    await write('broken.yaml', 'apiVersion: v1\nkind: [');
    const unreadable = await state('broken', 'ParseFailed');
    assert.match(unreadable.status?.error ?? '', /broken\.yaml is not valid/);
    await write('broken.yaml', configMap('in valid'));
    const refused = await state('broken', 'ApplyFailed');
    assert.match(refused.status?.error ?? '', /ConfigMap default\/in valid: .*Invalid/);
    assert.ok(await client.find(configMapRef('survivor')));
    const reasons = await eventReasons(client, 'broken', t.signal, 'ApplyManifestFailed');
    assert.ok(reasons.includes('ParseManifestFailed'));
  });

  it('ignores a skipped file, and deletes one that is switched off together with what it held', async (t) => {
    const { start, write, state, disappears } = await setUp(t);
    await write('off.yaml', configMap('off'));
    await write('skipped.yaml', configMap('skipped'));
    await write('skipped.yaml.skip', '');
    const life = await start();
    await state('off', 'Applied');
    assert.equal(await client.find(configMapRef('skipped')), undefined);
    await life.end();
    await start(['off']);
    await disappears(addonRef('off'));
    assert.equal(await client.find(configMapRef('off')), undefined);
  });

  it('puts back at its start what others changed or deleted, and leaves their own alone', async (t) => {
    const { directory, start, write, state, disappears } = await setUp(t);
    await write('healed.yaml', configMap('healed', { a: '1' }) + configMap('theirs'));
    const life = await start();
    await state('healed', 'Applied');
    await life.end();
    await client.delete(configMapRef('healed'));
    await start();
    assert.deepEqual((await client.get<KubeObject>(configMapRef('healed'))).data, { a: '1' });
    await client.delete(configMapRef('theirs'));
    await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs', namespace: 'default' } });
    await rm(join(directory, 'healed.yaml'));
    await disappears(addonRef('healed'));
    assert.ok(await client.find(configMapRef('theirs')));
  });
});

async function untilGone(client: KubeClient, { name, namespace, ...kind }: ObjectRef, signal: AbortSignal): Promise<void> {
  let found = false;
  for await (const item of watch({ client, kind, namespace, fieldSelector: `metadata.name=${name}`, signal, onError: () => undefined })) {
    if (item.type === 'reset') found = false;
    else if (item.type === 'added' || item.type === 'modified') found = true;
    if (item.type === 'deleted' || (item.type === 'synced' && !found)) return;
  }
  throw signal.reason;
}

/** The reasons of the Events of an Addon, once there is one for `last`. */
async function eventReasons(client: KubeClient, addon: string, signal: AbortSignal, last = 'AppliedManifest'): Promise<string[]> {
  const reasons: string[] = [];
  const fieldSelector = `involvedObject.name=${addon}`;
  const kind = { apiVersion: 'v1', kind: 'Event' };
  for await (const item of watch<EventObject>({
    client,
    kind,
    namespace: 'kube-system',
    fieldSelector,
    signal,
    onError: () => undefined,
  })) {
    if ('object' in item) {
      assert.ok(item.object.involvedObject.uid);
      reasons.push(item.object.reason);
      if (item.object.reason === last) return reasons;
    }
  }
  throw signal.reason;
}

const gadgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.test.rfo.io' },
  spec: {
    group: 'test.rfo.io',
    scope: 'Namespaced',
    names: { plural: 'gadgets', kind: 'Gadget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
