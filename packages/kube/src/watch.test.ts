import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createLog, Life, type RfoError, silentLog } from '@rfo/foundation';
import { apiError } from './api-status.ts';
import { createKubeClient, type KubeClient } from './client.ts';
import { createController, fromInformer, TerminalError } from './controller.ts';
import { createInformer } from './informer.ts';
import type { Lease } from './kinds.ts';
import { electLeader } from './leader-election.ts';
import type { KubeObject } from './object.ts';
import type { Change } from './store.ts';
import { startTestCluster, type TestCluster } from './testing.ts';
import { type WatchItem, watch } from './watch.ts';

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };
const kind = { apiVersion: 'v1', kind: 'ConfigMap' };

describe('a watch of a real API server', () => {
  let cluster: TestCluster;
  let client: KubeClient;
  before(async () => {
    cluster = await startTestCluster();
    client = cluster.client;
  });
  after(() => cluster.stop());

  const put = (namespace: string, name: string, data: Record<string, string> = {}): Promise<ConfigMap> =>
    client.apply<ConfigMap>({ ...kind, metadata: { name, namespace, labels: { app: name } }, data }, { fieldManager: 'test' });
  const makeNamespace = (name: string) => client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

  it('tells what there is, then every change', async ({ signal: testSignal }) => {
    await makeNamespace('told');
    await put('told', 'a');
    const { next, end } = follow(client, 'told', testSignal);
    assert.deepEqual([await next(), await next(), await next()], ['reset', 'added a', 'synced']);
    await put('told', 'b');
    await put('told', 'a', { x: '1' });
    await client.delete({ ...kind, namespace: 'told', name: 'b' });
    assert.deepEqual([await next(), await next(), await next()], ['added b', 'modified a', 'deleted b']);
    await end();
  });

  it('goes on where it was after the server was away', async ({ signal }) => {
    await makeNamespace('resumed');
    await put('resumed', 'a');
    await using life = new Life();
    // Not the server itself is ended: one that starts knows nothing of before what was written last, and may be asked for more.
    const relay = await relayTo(new URL(cluster.options.server), life);
    const far = createKubeClient({ ...cluster.options, server: relay.server });
    life.defer(() => far.close());
    const { next, end, refused } = follow(far, 'resumed', signal);
    for (let item = ''; item !== 'synced'; ) item = await next();
    const pending = next();
    await relay.cut();
    await refused;
    await put('resumed', 'b');
    await relay.heal();
    assert.equal(await pending, 'added b');
    await end();
  });

  it('reads everything anew when the server has forgotten where it was', async ({ signal }) => {
    await makeNamespace('forgotten');
    await put('forgotten', 'a');
    const { next, end } = follow(forgetting(client), 'forgotten', signal);
    const items = [await next(), await next(), await next(), await next(), await next(), await next()];
    assert.deepEqual(items, ['reset', 'added a', 'synced', 'reset', 'added a', 'synced']);
    await end();
  });

  it('lists first where the server cannot begin a watch with what there is', async ({ signal }) => {
    await makeNamespace('listed');
    await put('listed', 'a');
    const { next, end, errors } = follow(withoutWatchList(client), 'listed', signal);
    assert.deepEqual([await next(), await next(), await next()], ['reset', 'added a', 'synced']);
    await put('listed', 'b');
    assert.equal(await next(), 'added b');
    assert.deepEqual(errors, []);
    await end();
  });

  it('keeps a store and its indexes equal to the API', async () => {
    await using life = new Life();
    await makeNamespace('stored');
    await put('stored', 'a');
    await put('stored', 'b');
    const indexes = { app: (object: ConfigMap) => [object.metadata.labels?.app ?? ''] };
    const second = createKubeClient(cluster.options);
    life.defer(() => second.close());
    const informer = createInformer<ConfigMap>({ client: second, kind, namespace: 'stored', indexes, life, log: silentLog });
    await informer.synced;
    assert.deepEqual(informer.store.keys().sort(), ['stored/a', 'stored/b']);
    assert.deepEqual(
      informer.store.byIndex('app', 'b').map(({ metadata }) => metadata.name),
      ['b'],
    );
    assert.equal(informer.store.get('stored/a')?.metadata.managedFields, undefined);
    const deleted = changeOf(informer.subscribe, ({ after: object }) => object === undefined);
    await client.delete({ ...kind, namespace: 'stored', name: 'a' });
    assert.equal((await deleted).key, 'stored/a');
    assert.deepEqual(informer.store.keys(), ['stored/b']);
    assert.deepEqual(informer.store.byIndex('app', 'a'), []);
  });

  it('brings every key to reconcile, again after an error, not again after a terminal one', async () => {
    await using life = new Life();
    await makeNamespace('reconciled');
    await put('reconciled', 'works');
    await put('reconciled', 'hopeless');
    const calls: string[] = [];
    const count = (key: string): number => calls.filter((called) => called === key).length;
    let done = 0;
    const finished = Promise.withResolvers<void>();
    const informer = createInformer<ConfigMap>({ client, kind, namespace: 'reconciled', life, log: silentLog });
    const lines: string[] = [];
    const controller = createController({
      name: 'test',
      sources: [fromInformer(informer)],
      backoff: { initial: 1, max: 1 },
      reconcile: async (key) => {
        calls.push(key);
        if (key === 'reconciled/hopeless') throw new TerminalError('cannot work');
        if (count(key) < 3) throw new Error('not yet');
        if (++done === 2) finished.resolve();
        return undefined;
      },
      life,
      log: createLog({ write: (line) => lines.push(line) }),
    });
    controller.enqueue('last');
    await finished.promise;
    assert.deepEqual([count('reconciled/works'), count('reconciled/hopeless'), count('last')], [3, 1, 3]);
    assert.equal(lines.filter((line) => line.includes('gives up until it changes')).length, 1);
  });

  it('has one leader at a time, and another as soon as it gives up', async () => {
    await using life = new Life();
    const lease = { namespace: 'default', name: 'leader' };
    const timing = { duration: 2000, deadline: 1500, retry: 50 };
    const events: string[] = [];
    const led = { one: Promise.withResolvers<void>(), two: Promise.withResolvers<void>() };
    const stand = (identity: 'one' | 'two', own: Life): Promise<void> =>
      electLeader({
        client,
        lease,
        identity,
        timing,
        life: own,
        log: silentLog,
        lead: async (term) => {
          events.push(`${identity} leads`);
          led[identity].resolve();
          await new Promise((resolve) => term.signal.addEventListener('abort', resolve, { once: true }));
          events.push(`${identity} ends`);
        },
      });
    const first = life.child();
    const one = stand('one', first);
    await led.one.promise;
    const second = life.child();
    const two = stand('two', second);
    await first.end();
    await one;
    await led.two.promise;
    const held = await client.get<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease });
    assert.equal(held.spec?.holderIdentity, 'two');
    await second.end();
    await two;
    assert.deepEqual(events, ['one leads', 'one ends', 'two leads', 'two ends']);
  });

  it('stops when its signal aborts, and leaves nothing behind', async () => {
    const controller = new AbortController();
    const items = watch({ client, kind, signal: controller.signal, onError: assert.fail });
    await items.next();
    await items.next();
    controller.abort();
    for await (const _ of items);
  });
});

/** A way to a server that can be cut, so that nobody listens at its end, and be there again. */
async function relayTo({ hostname, port }: URL, life: Life) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port) });
    near.pipe(far).pipe(near);
    for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket) && other.destroy());
    }
  });
  const heal = async (at = 0): Promise<number> => {
    await once(server.listen(at, '127.0.0.1'), 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : assert.fail('no port');
  };
  const cut = (): Promise<unknown> => {
    const closed = server.listening ? once(server, 'close') : Promise.resolve();
    server.close();
    for (const socket of sockets) socket.destroy();
    return closed;
  };
  life.defer(cut);
  const own = await heal();
  return { server: `https://127.0.0.1:${own}`, cut, heal: () => heal(own) };
}

function follow(client: KubeClient, namespace: string, testSignal: AbortSignal) {
  const controller = new AbortController();
  const signal = AbortSignal.any([controller.signal, testSignal]);
  const errors: RfoError[] = [];
  const refused = Promise.withResolvers<void>();
  const onError = (error: RfoError): void => {
    errors.push(error);
    if (/ECONNREFUSED/.test(error.message)) refused.resolve();
  };
  const items = watch<ConfigMap>({ client, kind, namespace, signal, onError });
  const show = (item: WatchItem<ConfigMap>): string => ('object' in item ? `${item.type} ${item.object.metadata.name}` : item.type);
  return {
    errors,
    /** The watch has met a server that is not there. */
    refused: refused.promise,
    next: async (): Promise<string> => {
      const { value, done } = await items.next();
      return done ? 'end' : show(value);
    },
    end: async (): Promise<void> => {
      controller.abort();
      await items.return(undefined);
    },
  };
}

/** The first watch that goes on from a version meets a server that has compacted it: the real server's answer, at a chosen time. */
function forgetting(client: KubeClient): KubeClient {
  let pending = true;
  return {
    ...client,
    watchOnce: async function* (watched, options) {
      if (options.query.resourceVersion !== undefined && pending) {
        pending = false;
        throw apiError('watch', 410, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });
      }
      if (!pending || options.query.sendInitialEvents === undefined) yield* client.watchOnce(watched, options);
      else
        for await (const event of client.watchOnce(watched, options)) {
          yield event;
          if (event.type === 'BOOKMARK') return;
        }
    },
  };
}

/** A server of before 1.32: it refuses sendInitialEvents. */
function withoutWatchList(client: KubeClient): KubeClient {
  return {
    ...client,
    watchOnce: async function* (watched, options) {
      if (options.query.sendInitialEvents)
        throw apiError('watch', 422, { kind: 'Status', code: 422, reason: 'Invalid', message: 'forbidden' });
      yield* client.watchOnce(watched, options);
    },
  };
}

function changeOf<T>(
  subscribe: (listener: (change: Change<T>) => void) => () => void,
  accept: (change: Change<T>) => boolean,
): Promise<Change<T>> {
  return new Promise((resolve) => {
    const stop = subscribe((change) => {
      if (!accept(change)) return;
      stop();
      resolve(change);
    });
  });
}
