import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTestMembers, type TestMember, type TestMembers, type TestSlot } from '@rfo/etcd';
import type { ErrorCode } from '@rfo/foundation';
import { createMemberService, type MemberService } from './member-service.ts';

const code = (expected: ErrorCode) => ({ code: expected });

describe('what a server does for one that joins', { timeout: 60_000 }, () => {
  let members: TestMembers;
  let first: TestMember;
  let place: TestSlot;
  let service: MemberService;
  const signal = AbortSignal.timeout(60_000);
  before(async () => {
    members = await createTestMembers();
    first = await members.start(await members.slot(), { name: 'one' });
    place = await members.slot();
    service = createMemberService({ etcd: first.client, pace: { retry: 20, wait: 200 } });
    await first.client.health({ signal });
  });
  after(() => members.stop());

  it('refuses the name of a node that is there, and the address of a member that votes', async () => {
    const peerUrls = [place.peerUrl];
    await assert.rejects(service.add({ nodeName: 'one', name: 'one-0a1b2c3d', peerUrls }, signal), code('etcd-node-name-taken'));
    const taken = service.add({ nodeName: 'two', name: 'two-0a1b2c3d', peerUrls: [first.peerUrl] }, signal);
    await assert.rejects(taken, code('etcd-address-taken'));
    assert.equal((await service.list(signal)).length, 1);
  });

  it('takes one learner at a time, and says so after a while', async () => {
    const wish = { nodeName: 'two', name: 'two-0a1b2c3d', peerUrls: [place.peerUrl] };
    const answer = await service.add(wish, signal);
    assert.deepEqual(
      answer.filter(({ isLearner }) => isLearner).map(({ peerUrls }) => peerUrls),
      [wish.peerUrls],
    );
    const other = { nodeName: 'three', name: 'three-0a1b2c3d', peerUrls: [(await members.slot()).peerUrl] };
    await assert.rejects(service.add(other, signal), code('etcd-busy'));
  });

  it('says why a learner has no vote yet, and knows those that are none', async () => {
    assert.equal(await service.promote('two-0a1b2c3d', signal), 'it has not started yet');
    assert.equal(await service.promote('one', signal), 'voting');
    assert.match(await service.promote(place.peerUrl, signal), /in sync with leader/);
  });

  it('takes back a learner, by its address too, but never one that votes', async () => {
    await assert.rejects(service.removeUnstarted('one', signal), code('etcd-member-votes'));
    await service.removeUnstarted(place.peerUrl, signal);
    await service.removeUnstarted(place.peerUrl, signal);
    assert.equal((await service.list(signal)).length, 1);
    await assert.rejects(service.promote('two-0a1b2c3d', signal), code('etcd-member-unknown'));
  });
});
