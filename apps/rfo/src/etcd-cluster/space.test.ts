import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it, test } from 'node:test';
import { createTestMembers, type EtcdClient, etcdRefusal, type TestMember, type TestMembers } from '@rfo/etcd';
import { Life, silentLog, sleep } from '@rfo/foundation';
import { startTestCluster } from '@rfo/kube';
import { poll } from '@rfo/process';
import { createPeerProbe } from './probe-peer.ts';
import { careForSpace, type SpaceOptions } from './space.ts';
import { isFullOfData, isWorthDefragmenting, missingOnList, usualThresholds, whoseTurn } from './space-plan.ts';
import { takeTurns } from './take-turns.ts';
import type { Tiding } from './tell-node.ts';

const within = (seconds: number): AbortSignal => AbortSignal.timeout(seconds * 1000);
/** The file grows in steps of 16 MiB. */
const quota = 64 * 1024 * 1024;
const block = 'x'.repeat(1_000_000);

describe('the care for the space of a real etcd', { timeout: 120_000 }, () => {
  let members: TestMembers;
  let one: TestMember;
  let two: TestMember;
  const args = [`--quota-backend-bytes=${quota}`];
  let life: Life;
  beforeEach(() => {
    life = new Life();
  });
  afterEach(() => life.end());
  before(async () => {
    members = await createTestMembers();
    one = await members.start(await members.slot(), { name: 'one', args });
    await one.client.health({ signal: within(90) });
  });
  after(() => members.stop());

  const care = (etcd: EtcdClient, change: Partial<SpaceOptions> = {}) => {
    const told: Tiding[] = [];
    const options = {
      ...{
        etcd,
        life,
        log: silentLog,
        probe: createPeerProbe(members.peerTls),
        tell: (tiding: Tiding) => void told.push(tiding),
      },
      oneAtATime: (work: () => Promise<void>) => work(),
      pace: { every: 50, full: 50, again: 50, defragment: 3_600_000, turn: 60_000 },
      ...change,
    };
    return { told, care: careForSpace(options) };
  };
  /** Writes, over the same keys or ever new ones, until etcd refuses. */
  const fill = async (key: (at: number) => string): Promise<void> => {
    for (let at = 0; at < 100; at += 1) {
      try {
        await one.client.put(key(at), block);
      } catch (error) {
        assert.equal(etcdRefusal(error), 'etcdserver: mvcc: database space exceeded');
        return;
      }
    }
    assert.fail('the quota was never used up');
  };
  /** Leaves much of the file unused; etcd tells so when it has written something more. */
  const waste = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) await one.client.put('/big', block);
    await one.client.delete('/big');
    await one.client.compact((await one.client.status()).revision);
    await poll(
      async () => {
        await one.client.put('/small', 'x');
        const { dbSize, dbSizeInUse } = await one.client.status();
        if (Number(dbSizeInUse) * 2 > Number(dbSize)) throw new Error(`${dbSizeInUse} of ${dbSize} are in use`);
      },
      { signal: within(90) },
    );
  };
  const writes = (key: string): Promise<void> => poll(() => one.client.put(key, 'small'), { signal: within(90) });

  it('makes room when history has used it up', async () => {
    await fill(() => '/same');
    const full = await one.client.status();
    const { told } = care(one.client);
    await writes('/after');
    await life.end();
    assert.deepEqual(
      told.map(({ type, reason }) => [type, reason]),
      [
        ['Warning', 'EtcdSpaceExhausted'],
        ['Normal', 'EtcdSpaceReclaimed'],
      ],
    );
    assert.equal(told[0]?.message, 'etcd has used up its 67 MB and takes no writes: making room');
    assert.deepEqual(await one.client.alarms(), []);
    assert.ok(Number((await one.client.status()).dbSize) < Number(full.dbSize) / 2);
  });

  it('takes no writes while the data itself fills it, says so once, and goes on when some is deleted', async () => {
    await fill((at) => `/data/${at}`);
    const { told } = care(one.client, { thresholds: { full: 0.7 } });
    await poll(
      async () => {
        if (!told.some(({ reason }) => reason === 'EtcdFull')) throw new Error('not said yet');
      },
      { signal: within(90) },
    );
    await assert.rejects(one.client.put('/after', 'x'), (error) => etcdRefusal(error) === 'etcdserver: mvcc: database space exceeded');
    for (let at = 0; at < 40; at += 1) await one.client.delete(`/data/${at}`);
    await writes('/after');
    await life.end();
    assert.equal(told.filter(({ reason }) => reason === 'EtcdFull').length, 1);
    for (const { key } of await one.client.range('/data/', { keysOnly: true })) await one.client.delete(key);
    await one.client.compact((await one.client.status()).revision);
    await one.client.defragment();
  });

  it('defragments when much would be given back, once', async () => {
    await waste();
    const wasted = Number((await one.client.status()).dbSize);
    const { told } = care(one.client, { thresholds: { reclaimable: 1e6 } });
    await poll(
      async () => {
        if (told.length === 0) throw new Error('not said yet');
      },
      { signal: within(90) },
    );
    assert.ok(Number((await one.client.status()).dbSize) < wasted);
    await waste();
    await life.end();
    assert.deepEqual(
      told.map(({ reason }) => reason),
      ['EtcdDefragmented'],
    );
  });

  it('goes from member to member, the leader last, past one that is dead or gone', async () => {
    const place = await members.slot();
    const { member } = await one.client.memberAdd({ peerUrls: [place.peerUrl], isLearner: true });
    two = await members.start(place, { name: 'two', initialCluster: `one=${one.peerUrl},two=${place.peerUrl}`, state: 'existing', args });
    await poll(async () => void (await one.client.memberPromote(member.id)), { signal: within(90) });
    await poll(() => two.client.health(), { signal: within(90) });

    await fill(() => '/same');
    await one.client.arm({ memberId: '12345', alarm: 'NOSPACE' });
    const order: string[] = [];
    const teller = (name: string) => ({
      tell: ({ reason }: Tiding) => {
        if (reason === 'EtcdSpaceReclaimed') order.push(name);
      },
    });
    care(two.client, teller('two'));
    care(one.client, teller('one'));
    await writes('/after');
    await poll(
      async () => {
        if (order.length < 2) throw new Error(order.join());
      },
      { signal: within(90) },
    );
    await life.end();
    assert.deepEqual(order, ['two', 'one']);
    assert.deepEqual(await one.client.alarms(), []);
  });

  it('hands the leadership over before it defragments its own member', async () => {
    await waste();
    assert.equal((await one.client.status()).leader, (await one.client.status()).memberId);
    const { told } = care(one.client, { thresholds: { reclaimable: 1e6 } });
    await poll(
      async () => {
        if (told.length === 0) throw new Error('not said yet');
      },
      { signal: within(90) },
    );
    await life.end();
    // Where the machine is busy another election may be under way at this moment.
    await poll(
      async () => {
        const { leader, memberId } = await two.client.status();
        assert.equal(leader, memberId);
      },
      { signal: within(90) },
    );
  });
});

test('servers take turns, and the turn passes on when the work failed', { timeout: 120_000 }, async (t) => {
  const kube = await startTestCluster();
  t.after(() => kube.stop());
  await kube.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } }).catch(() => undefined);
  await using life = new Life();
  let at = 0;
  const work = async (): Promise<void> => {
    at += 1;
    assert.equal(at, 1, 'two work at once');
    // Longer than the other needs to ask for the lease.
    await sleep(300, life.signal);
    at -= 1;
  };
  const turn = (nodeName: string) => takeTurns({ client: kube.client, nodeName, log: silentLog });
  await assert.rejects(
    turn('a')(() => Promise.reject(new Error('broken')), life),
    /broken/,
  );
  await Promise.all([turn('a')(work, life), turn('b')(work, life)]);
});

test('what is worth defragmenting, and what only deleting helps against', () => {
  const sizes = (dbSize: number, dbSizeInUse: number) => ({
    dbSize: String(dbSize),
    dbSizeInUse: String(dbSizeInUse),
    dbSizeQuota: String(1000e6),
  });
  const worth = (dbSize: number, inUse: number): boolean => isWorthDefragmenting(sizes(dbSize, inUse), usualThresholds);
  assert.deepEqual([worth(200e6, 100e6), worth(199e6, 100e6), worth(300e6, 200e6)], [true, false, false]);
  assert.deepEqual([isFullOfData(sizes(901e6, 1), usualThresholds), isFullOfData(sizes(900e6, 900e6), usualThresholds)], [true, false]);
});

test('the turn is that of the smallest id, of the leader last; ids are compared as the numbers that they are', () => {
  const alarms = ['9', '12', '10'].map((memberId) => ({ memberId, alarm: 'NOSPACE' as const }));
  assert.equal(whoseTurn(alarms, '12'), '9');
  assert.equal(whoseTurn(alarms, '9'), '10');
  assert.equal(whoseTurn(alarms.slice(0, 1), '9'), '9');
  assert.equal(whoseTurn([{ memberId: '9', alarm: 'CORRUPT' }], '9'), undefined);
  const member = (id: string) => ({ id, name: id, peerUrls: [], clientUrls: [], isLearner: false });
  assert.deepEqual(missingOnList(alarms.slice(0, 1), ['9', '10', '12'].map(member), new Set(['9', '10'])), ['10']);
});
