import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { createKubeClient, type Lease, startTestCluster, type TestCluster } from '@rfo/kube';
import { createBell } from './bell.ts';
import { contend } from './contend.ts';
import { openLease, type VipLease } from './lease.ts';
import { usualTiming } from './timing.ts';

type Follower = { readonly lease: VipLease; readonly heard: (holds: () => boolean) => Promise<void>; readonly broke: Promise<unknown> };

const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system', name: 'rfo-vip' };

describe('the Lease of the virtual IP, in a real API server', { timeout: 90_000 }, () => {
  let cluster: TestCluster;
  let life: Life;
  before(async () => {
    cluster = await startTestCluster();
    await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } }).catch((error: unknown) => {
      if (!String(error).includes('already exists')) throw error;
    });
  });
  after(() => cluster.stop());
  beforeEach(async () => {
    await life?.end();
    await cluster.client.delete(ref);
    life = new Life();
  });
  after(() => life.end());

  /** A server that hears of every change. */
  const follower = async (identity: string, client = cluster.client): Promise<Follower> => {
    const lease = openLease({ client, identity, timing: usualTiming });
    const bell = createBell();
    const broken = Promise.withResolvers<unknown>();
    const following = lease.follow(life.signal, { onChange: bell.ring, onBreak: broken.resolve });
    life.defer(() => following);
    const heard = async (holds: () => boolean): Promise<void> => {
      while (!holds()) {
        await bell.wait(60_000, life.signal);
        life.signal.throwIfAborted();
      }
    };
    await heard(() => lease.freeIn() !== Number.POSITIVE_INFINITY);
    return { lease, heard, broke: broken.promise };
  };
  const holder = async (): Promise<string | undefined> => (await cluster.client.find<Lease>(ref))?.spec?.holderIdentity;

  test('has one holder, and the next as soon as that one gives it up', async () => {
    const [a, b] = [await follower('a'), await follower('b')];
    assert.equal((await a.lease.hold()).outcome, 'held');
    await b.heard(() => b.lease.freeIn() > 4_000);
    assert.equal((await b.lease.hold()).outcome, 'lost');
    await a.lease.giveUp();
    await b.heard(() => b.lease.freeIn() === 0);
    assert.equal((await b.lease.hold()).outcome, 'held');
    assert.equal((await a.lease.hold()).outcome, 'lost');
    assert.equal(await holder(), 'b');
  });

  test('is taken by one of two that both find it free', async () => {
    const [a, b] = [await follower('a'), await follower('b')];
    const outcomes = await Promise.all([a.lease.hold(), b.lease.hold()]);
    assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['held', 'lost']);
  });

  test('is not taken back by a holder that was frozen and hears first that another has it', async () => {
    const a = await follower('a');
    assert.equal((await a.lease.hold()).outcome, 'held');
    const lease = await cluster.client.get<Lease>(ref);
    // What another does after the Lease was over.
    await cluster.client.replace({ ...lease, spec: { ...lease.spec, holderIdentity: 'b' } });
    await a.heard(() => !a.lease.mine());
    assert.equal((await a.lease.hold()).outcome, 'lost');
    assert.equal(await holder(), 'b');
  });

  test('stays with its holder when somebody labels it, and is made again when somebody deletes it', async () => {
    const a = await follower('a');
    await a.lease.hold();
    await cluster.client.patch(ref, { metadata: { labels: { seen: 'true' } } });
    assert.equal((await a.lease.hold()).outcome, 'held');
    assert.deepEqual((await cluster.client.get<Lease>(ref)).metadata.labels, { seen: 'true' });
    await cluster.client.delete(ref);
    await a.heard(() => !a.lease.mine());
    assert.equal((await a.lease.hold()).outcome, 'held');
  });

  test('is kept longer for a holder that will come back', async () => {
    const [a, b] = [await follower('a'), await follower('b')];
    await a.lease.hold();
    assert.equal((await a.lease.holdWhileAway()).outcome, 'held');
    await b.heard(() => b.lease.freeIn() > 10_000);
    const next = await follower('a');
    assert.equal(next.lease.mine(), true);
    assert.equal((await next.lease.hold()).outcome, 'held');
    await b.heard(() => b.lease.freeIn() <= 5_000);
  });

  test('is given up when the address cannot be set, and what was set is removed', async () => {
    const { lease } = await follower('a');
    const given = Promise.withResolvers<void>();
    const done: string[] = [];
    const contest = contend({
      lease: {
        ...lease,
        giveUp: async () => {
          await lease.giveUp();
          given.resolve();
        },
      },
      address: {
        problem: async () => undefined,
        hold: async () => {
          done.push('hold');
          throw new Error('no permission');
        },
        announce: async () => void done.push('announce'),
        drop: async () => void done.push('drop'),
      },
      ...{ timing: usualTiming, bell: createBell(), apiReady: () => true, released: () => false, signal: life.signal, log: silentLog },
    });
    life.defer(() => contest);
    await given.promise;
    assert.deepEqual(done, ['hold', 'drop']);
    assert.equal(await holder(), '');
  });

  test('answers within its time while the API server hangs', async () => {
    const pipe = await stallingPipe(new URL(cluster.options.server), life);
    const client = createKubeClient({ ...cluster.options, server: `https://127.0.0.1:${pipe.port}` });
    life.defer(() => client.close());
    const a = await follower('a', client);
    assert.equal((await a.lease.hold()).outcome, 'held');
    pipe.stall();
    const began = performance.now();
    assert.equal((await a.lease.hold()).outcome, 'failed');
    const took = performance.now() - began;
    assert.ok(took < usualTiming.duration, `${took} ms`);
  });

  test('tells at once when the API server is gone', async () => {
    const a = await follower('a');
    await a.lease.hold();
    await cluster.killApiServer();
    await a.broke;
    const began = performance.now();
    assert.equal((await a.lease.hold()).outcome, 'unreachable');
    assert.ok(performance.now() - began < 2_500);
  });
});

/** A way to the API server that can be made to carry nothing any more, with its connections open. */
async function stallingPipe({ hostname, port }: URL, life: Life): Promise<{ readonly port: number; readonly stall: () => void }> {
  const ends: Socket[] = [];
  const entrance = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const end of [near, far]) ends.push(end.on('error', () => undefined));
    near.pipe(far).pipe(near);
  });
  entrance.listen(0, '127.0.0.1');
  await once(entrance, 'listening');
  life.defer(() => {
    for (const end of ends) end.destroy();
    entrance.close();
  });
  const address = entrance.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    port: address.port,
    stall: () => {
      for (const end of ends) end.unpipe().pause();
    },
  };
}
