// When indexes begin and end, over a real API server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, it, type TestContext } from 'node:test';
import { Life, RfoError, silentLog } from '@rfo/foundation';
import { createKubeClient, type KubeClient, startTestCluster, type TestCluster } from '@rfo/kube';
import type { Connections } from '../clusters/connections.ts';
import { createIndexes, type IndexesInput, type Lease } from './indexes.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await startTestCluster();
});
after(() => cluster?.stop());

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
const within = () => AbortSignal.timeout(90_000);

/** The cluster `one`, by a client that can be replaced, as it is when an agent comes back from elsewhere. */
function start(t: TestContext, options: Pick<IndexesInput, 'idle' | 'room'>) {
  const life = new Life();
  t.after(() => life.end());
  const listeners = new Set<(name: string) => void>();
  let client: KubeClient | undefined;
  const connect = (): void => {
    client?.close();
    client = createKubeClient(cluster.options);
    for (const listener of listeners) listener('one');
  };
  connect();
  life.defer(() => client?.close());
  const connections: Pick<Connections, 'clientOf' | 'onChange' | 'state'> = {
    clientOf: (name) => (name === 'one' ? client : undefined),
    state: () => ({ connected: true, sessions: 1 }),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const clusters = { get: () => undefined, onChange: () => () => undefined };
  return { indexes: createIndexes({ connections, clusters, ...options, life, log: silentLog }), connect };
}

function until({ index }: Lease, accept: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`there are ${index.size()} objects`)), 90_000);
    const look = (): void => {
      if (!accept()) return;
      clearTimeout(timer);
      undo();
      resolve();
    };
    const undo = index.onChange(look);
    look();
  });
}

const make = (name: string, data: Readonly<Record<string, string>> = {}) =>
  cluster.client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data });
const names = ({ index }: Lease): readonly string[] => [...index.rows()].map(({ name }) => name);

it('an index serves all who need it, and ends when nobody has for a while', async (t) => {
  const { indexes } = start(t, { idle: 20 });
  const [one, other] = await Promise.all([indexes.lease('one', configMaps), indexes.lease('one', configMaps)]);
  assert.equal(one.index, other.index);
  await one.index.ready(within());
  assert.deepEqual([indexes.state().indexes, indexes.state().objects], [1, one.index.size()]);
  one.release();
  one.release();
  assert.equal(other.signal.aborted, false);
  const ended = once(other.signal, 'abort', { signal: within() });
  other.release();
  await ended;
  const next = await indexes.lease('one', configMaps);
  assert.notEqual(next.index, one.index);
  await next.index.ready(within());
  assert.equal(indexes.state().characters, next.index.length());
});

it('an index takes no more room than there is, and gives all of it back', async (t) => {
  const { indexes } = start(t, { room: 50_000, idle: 60_000 });
  await make('wide', { text: 'x'.repeat(60_000) });
  const lease = await indexes.lease('one', configMaps);
  await assert.rejects(lease.index.ready(within()), (error) => error instanceof RfoError && error.code === 'index-full');
  if (!lease.signal.aborted) await once(lease.signal, 'abort', { signal: within() });
  const namespaces = await indexes.lease('one', { ...configMaps, resource: 'namespaces' });
  await namespaces.index.ready(within());
  assert.equal(indexes.state().characters, namespaces.index.length());
  await cluster.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'wide' });
});

it('an index goes on by another way when the one that it had is gone', async (t) => {
  const { indexes, connect } = start(t, { idle: 60_000 });
  const lease = await indexes.lease('one', configMaps);
  await lease.index.ready(within());
  connect();
  await make('behind');
  await until(lease, () => names(lease).includes('behind'));
  assert.equal(lease.index.problem(), undefined);
});

it('a column that is new has the values of all objects, also of those that change meanwhile', async (t) => {
  const { indexes } = start(t, { idle: 60_000 });
  await Promise.all(Array.from({ length: 300 }, (_, at) => make(`many-${at}`, { size: String(at) })));
  const lease = await indexes.lease('one', configMaps);
  const { index } = lease;
  await index.ready(within());
  const columns = index.columns.hold([{ id: 'size', read: ({ data }) => (data as { readonly size?: string } | undefined)?.size }]);
  const filled = index.fill(columns);
  await cluster.client.patch({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'many-7' }, { data: { size: 'other' } });
  await filled;
  const [slot = 0] = columns.map((column) => column.slot);
  const sizes = () => new Map([...index.rows()].map(({ name, cells }) => [name, cells[slot]]));
  await until(lease, () => sizes().get('many-7') === 'other');
  for (let at = 0; at < 300; at++) if (at !== 7) assert.equal(sizes().get(`many-${at}`), String(at));
});
