import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Life, silentLog, systemClock } from '@rfo/foundation';
import { type EventObject, secretKind, startTestCluster, type TestCluster } from '@rfo/kube';
import { installCrds } from '../../objects/install-crds.ts';
import { type Objects, openObjects } from '../../objects/open-objects.ts';
import { createClusterTokens } from '../cluster-tokens.ts';
import { createRegistrations } from '../registrations.ts';
import { finalizer, removeCluster } from './remove-cluster.ts';

const life = new Life();
const namespace = 'default';
let cluster: TestCluster;
let objects: Objects;
before(async () => {
  cluster = await startTestCluster();
  life.defer(() => cluster.stop());
  await installCrds(cluster.client, { log: silentLog, signal: life.signal });
  objects = await openObjects({ client: cluster.client, life, log: silentLog });
});
after(() => life.end());

it('a cluster that cannot be reached is let go after a minute, and what is left in it is told', async () => {
  const { client } = cluster;
  let time = Date.now();
  const clock = { now: () => time };
  const registrations = createRegistrations({ client, namespace, clock });
  const tokens = createClusterTokens({ client, namespace, clock });
  const forgotten: string[] = [];
  const clients = { of: () => undefined, forget: (name: string) => forgotten.push(name), close: () => undefined };
  await objects.clusters.create({ metadata: { name: 'far', finalizers: [finalizer] }, spec: {} });
  await objects.clusters.patchStatus('far', { apiServer: 'https://192.0.2.1:6443' });
  await registrations.create('far', 1000);
  await tokens.issue('far');
  await objects.clusters.delete('far');
  const remove = () => {
    const far = objects.clusters.get('far') ?? assert.fail('it is gone');
    return removeCluster(far, { objects, client, clients, registrations, tokens, clock, log: silentLog }, life.signal);
  };
  const wait = (await remove()) ?? assert.fail('it was let go at once');
  assert.ok(wait > 0 && wait <= 60_000, `${wait} ms`);
  assert.equal(objects.clusters.get('far')?.status?.phase, 'Removing');
  time = Date.now() + 61_000;
  assert.equal(await remove(), undefined);
  assert.equal(await client.find({ apiVersion: 'rfo.io/v1alpha1', kind: 'Cluster', name: 'far' }), undefined);
  const secrets = await client.list(secretKind, { namespace, labelSelector: 'rfo.io/cluster=far' });
  assert.deepEqual([secrets.items, forgotten], [[], ['far']]);
  const events = await client.list<EventObject>({ apiVersion: 'v1', kind: 'Event' }, { namespace: 'default' });
  const event = events.items.find(({ involvedObject }) => involvedObject.name === 'far');
  assert.equal(event?.reason, 'AgentLeft');
  assert.match(
    event?.message ?? '',
    /no agent is connected; what is left there: Deployment, DaemonSet.*ClusterRoleBinding rfo-cluster-agent/,
  );
});

it('a cluster whose agent never came is let go at once, and its places in projects with it', async () => {
  const { client } = cluster;
  const clock = systemClock;
  const registrations = createRegistrations({ client, namespace, clock });
  const tokens = createClusterTokens({ client, namespace, clock });
  const clients = { of: () => undefined, forget: () => undefined, close: () => undefined };
  await objects.clusters.create({ metadata: { name: 'near', finalizers: [finalizer] }, spec: {} });
  const places = [{ cluster: 'near' }, { cluster: 'other', namespaces: ['shop'] }];
  await objects.projects.create({ metadata: { name: 'shop' }, spec: { members: [], places } });
  await objects.clusters.delete('near');
  const near = objects.clusters.get('near') ?? assert.fail('it is gone');
  assert.equal(
    await removeCluster(near, { objects, client, clients, registrations, tokens, clock, log: silentLog }, life.signal),
    undefined,
  );
  // Whoever gets the name next is another cluster.
  assert.deepEqual((await objects.projects.find('shop'))?.spec.places, [{ cluster: 'other', namespaces: ['shop'] }]);
});
