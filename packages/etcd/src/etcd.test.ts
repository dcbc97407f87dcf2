import assert from 'node:assert/strict';
import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createEtcdClient, type EtcdClient, endOfPrefix } from './client.ts';
import { etcdRefusal } from './gateway.ts';
import { createMembers, saveSnapshot, type TestMember, type TestMembers } from './testing/members.ts';
import { verifySnapshotFile } from './verify-snapshot-file.ts';

describe('a client of a real etcd', () => {
  let members: TestMembers;
  let etcd: TestMember;
  let client: EtcdClient;
  before(async () => {
    members = await createMembers();
    etcd = await members.start(await members.slot(), { name: 'default' });
    client = etcd.client;
  });
  after(() => members.stop());

  it('knows the member, its state and its health', async () => {
    await client.health();
    const status = await client.status();
    const [member] = await client.members();
    assert.match(status.version, /^3\.\d+\.\d+$/);
    assert.ok(Number(status.dbSize) >= Number(status.dbSizeInUse) && Number(status.dbSizeInUse) > 0);
    assert.deepEqual([member?.id, member?.name, member?.isLearner], [status.memberId, 'default', false]);
    assert.equal(status.leader, status.memberId);
    // More than a JavaScript number holds.
    assert.ok(BigInt(status.memberId) > BigInt(Number.MAX_SAFE_INTEGER));
  });

  it('puts, gets, ranges and deletes keys', async () => {
    await client.put('/a/1', 'one');
    await client.put('/a/2', Buffer.from([0, 255, 128]));
    await client.put('/b', 'other');
    assert.equal((await client.get('/a/1'))?.value.toString(), 'one');
    assert.deepEqual(
      (await client.range('/a/')).map(({ key, value }) => [key, [...value]]),
      [
        ['/a/1', [...Buffer.from('one')]],
        ['/a/2', [0, 255, 128]],
      ],
    );
    assert.deepEqual(
      (await client.range('', { keysOnly: true })).map(({ key, value }) => [key, value.length]),
      [
        ['/a/1', 0],
        ['/a/2', 0],
        ['/b', 0],
      ],
    );
    assert.equal((await client.range('/a/', { limit: 1 })).length, 1);
    assert.deepEqual([await client.delete('/a/1'), await client.delete('/a/1')], [1, 0]);
    assert.equal(await client.get('/a/1'), undefined);
  });

  it('gives back the space of what is compacted and defragmented', async () => {
    const filler = 'x'.repeat(500_000);
    for (let round = 0; round < 8; round += 1) await client.put('/big', filler);
    const { revision, dbSize } = await client.status();
    await client.compact(revision);
    await client.put('/big', 'small');
    await client.compact((await client.status()).revision);
    await client.defragment();
    assert.ok(Number((await client.status()).dbSize) < Number(dbSize) / 4);
    await assert.rejects(client.compact('1'), (error) => {
      assert.match(String(error), /etcd at .* refuses \/v3\/kv\/compaction: .*compacted/);
      return true;
    });
  });

  it('has no alarm, and disarming none is no error', async () => {
    assert.deepEqual(await client.alarms(), []);
    await client.disarm({ memberId: (await client.status()).memberId, alarm: 'NOSPACE' });
  });

  it('shows an alarm that was raised in its name, and takes no more writes until it is disarmed', async () => {
    const alarm = { memberId: (await client.status()).memberId, alarm: 'NOSPACE' } as const;
    await client.arm(alarm);
    assert.deepEqual(await client.alarms(), [alarm]);
    assert.match((await client.status()).errors.join(), /NOSPACE/);
    await assert.rejects(client.put('/full', 'x'), (error) => etcdRefusal(error) === 'etcdserver: mvcc: database space exceeded');
    await client.disarm(alarm);
    await client.put('/full', 'x');
  });

  it('goes on with a renewed certificate, and is refused without one of the CA', async () => {
    members.renewClient();
    await client.health();
    const { endpoint } = etcd;
    const stranger = createEtcdClient({ ...endpoint, cert: endpoint.ca, key: endpoint.ca.replace('ca.crt', 'ca.key'), ca: endpoint.cert });
    await assert.rejects(stranger.health(), { code: 'etcd-unreachable' });
    stranger.close();
  });

  it('ends a request with the reason of its signal', async () => {
    await assert.rejects(client.status({ signal: AbortSignal.abort(new Error('enough')) }), /^Error: enough$/);
  });

  it('makes snapshots that are found whole, or damaged where they are', async () => {
    const snapshot = saveSnapshot(etcd);
    const { size, sha256 } = await verifySnapshotFile(snapshot);
    const bytes = await readFile(snapshot);
    assert.deepEqual([size, sha256], [bytes.length, bytes.subarray(-32).toString('hex')]);

    const copy = `${snapshot}.copy`;
    const problem = async (change: () => Promise<unknown>): Promise<string> => {
      await copyFile(snapshot, copy);
      await change();
      return verifySnapshotFile(copy).then(
        () => 'whole',
        (error: Error) => error.message,
      );
    };
    const flipped = Buffer.from(bytes);
    flipped[4096] = (flipped[4096] ?? 0) ^ 1;
    assert.match(await problem(() => writeFile(copy, flipped)), /does not match its hash/);
    assert.match(await problem(() => truncate(copy, size - 512)), /does not match its hash/);
    assert.match(await problem(() => truncate(copy, size - 100)), /is not that of a database and its hash/);
    assert.match(await problem(() => truncate(copy, 0)), /it is empty/);
    await assert.rejects(verifySnapshotFile(`${snapshot}.none`), /is not a whole etcd snapshot: ENOENT/);
  });
});

describe('the end of a prefix', () => {
  it('is its last byte one higher, or the last key of all for none', () => {
    assert.deepEqual([endOfPrefix('/a/').toString(), [...endOfPrefix('')]], ['/a0', [0]]);
  });
});
