import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { retry, toRfoError } from '@rfo/foundation';
import { etcdRefusal } from './gateway.ts';
import { createMembers, type TestMember, type TestMembers, type TestSlot } from './testing/members.ts';

const within = (seconds: number): AbortSignal => AbortSignal.timeout(seconds * 1000);

describe('the members of a real cluster', () => {
  let members: TestMembers;
  let first: TestMember;
  let place: TestSlot;
  let second: TestMember;
  before(async () => {
    members = await createMembers();
    first = await members.start(await members.slot(), { name: 'a' });
    place = await members.slot();
  });
  after(() => members.stop());

  const idOf = async (name: string): Promise<string> => (await first.client.members()).find((member) => member.name === name)?.id ?? 'none';

  it('are joined by a learner without a name, which votes once it is promoted', async () => {
    const { member, members: all } = await first.client.memberAdd({ peerUrls: [place.peerUrl], isLearner: true });
    assert.deepEqual([member.name, member.peerUrls, member.isLearner, all.length], ['', [place.peerUrl], true, 2]);
    await assert.rejects(first.client.memberPromote(member.id), (error) => /in sync with leader/.test(etcdRefusal(error) ?? ''));
    // The first goes on alone meanwhile.
    await first.client.put('/x', '1');

    second = await members.start(place, {
      name: 'b',
      initialCluster: `a=${first.peerUrl},b=${place.peerUrl}`,
      state: 'existing',
    });
    const learner = await second.client.status();
    assert.deepEqual([learner.memberId, learner.isLearner], [member.id, true]);
    const promoted = await retry(() => first.client.memberPromote(member.id), { initial: 50, max: 200, signal: within(30) });
    assert.deepEqual(
      promoted.map(({ isLearner }) => isLearner),
      [false, false],
    );
    await second.client.health({ signal: within(30) });
    assert.equal((await second.client.get('/x'))?.value.toString(), '1');
  });

  it('change their leader', async () => {
    const target = await idOf('b');
    await first.client.moveLeader(target);
    assert.equal((await second.client.status()).leader, target);
    await assert.rejects(first.client.moveLeader(target), (error) => /not leader/.test(etcdRefusal(error) ?? ''));
    await second.client.moveLeader(await idOf('a'));
  });

  it('come back on another port, and take their new peer URL into the list themselves', async () => {
    await second.kill();
    await assert.rejects(first.client.members({ linearizable: true, signal: within(2) }), /aborted|timed out/);
    assert.equal((await first.client.members()).length, 2);

    const moved = { ...(await members.slot()), dataDir: place.dataDir };
    second = await members.start(moved, { name: 'b', state: 'existing' });
    await retry(() => second.client.health(), { initial: 50, max: 200, signal: within(30) });
    const after = await second.client.memberUpdate(await idOf('b'), [moved.peerUrl]);
    assert.deepEqual(after.find(({ name }) => name === 'b')?.peerUrls, [moved.peerUrl]);
  });

  it('end a member that is removed', async () => {
    await retry(async () => first.client.memberRemove(await idOf('b')), { initial: 100, max: 500, signal: within(30) });
    // Where the one removed led, those who stay elect another first.
    const left = await retry(() => first.client.members({ linearizable: true }), {
      initial: 50,
      max: 200,
      signal: within(30),
      onError: (error) => {
        if (toRfoError(error).code !== 'etcd-unsettled') throw error;
      },
    });
    assert.deepEqual(
      left.map(({ name }) => name),
      ['a'],
    );
    if (!second.gone.aborted) await new Promise((resolve) => second.gone.addEventListener('abort', resolve, { once: true }));
  });
});
