import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeLearner, judgeRemoval } from './judge-members.ts';
import { annotations, finalizer, renderCondition, renderNodePatch, renderRemovedPatch, wishOf } from './node-member.ts';

const member = (id: string, isLearner = false) => ({ id, name: `m${id}`, peerUrls: [], clientUrls: [], isLearner });
const [a, b, c, d, e] = [member('1'), member('2'), member('3'), member('4'), member('5')];
const judge = (input: { members: (typeof a)[]; living: string; target: typeof a; leader?: string }) =>
  judgeRemoval({ leader: '9', ...input, living: new Set(input.living) });

test('a member goes where a majority of the others lives', () => {
  assert.deepEqual(judge({ members: [a, b, c], living: '123', target: c }), { kind: 'remove' });
  assert.deepEqual(judge({ members: [a, b, c], living: '12', target: c }), { kind: 'remove' });
  assert.deepEqual(judge({ members: [a, b], living: '1', target: b }), { kind: 'remove' });
});

test('a leader hands over to a living member first', () => {
  assert.deepEqual(judge({ members: [a, b, c], living: '13', target: a, leader: '1' }), {
    kind: 'wait',
    because: 'of the 2 members that would remain 2 must live, and m2 does not answer',
  });
  assert.deepEqual(judge({ members: [a, b, c, d], living: '134', target: a, leader: '1' }), { kind: 'move-leader', target: '3' });
});

test('the last that votes stays, and so does every one that the majority needs', () => {
  assert.deepEqual(judge({ members: [a], living: '1', target: a, leader: '1' }), {
    kind: 'refuse',
    because: 'm1 is the last member of etcd that votes',
  });
  assert.deepEqual(judge({ members: [a, member('2', true)], living: '12', target: a, leader: '1' }).kind, 'refuse');
  assert.deepEqual(judge({ members: [a, b, c, d, e], living: '123', target: c }), {
    kind: 'wait',
    because: 'of the 4 members that would remain 3 must live, and m4, m5 do not answer',
  });
});

test('a learner may always go', () => {
  const learner = member('2', true);
  assert.deepEqual(judge({ members: [a, learner], living: '', target: learner }), { kind: 'remove' });
});

test('a learner is promoted only while it answers, and evicted when it has not for long', () => {
  const at = (sight: { firstSeen: number; lastAnswer: number | undefined }) => judgeLearner(sight, { now: 1000, patience: 300 });
  assert.equal(at({ firstSeen: 0, lastAnswer: 1000 }), 'promote');
  assert.equal(at({ firstSeen: 0, lastAnswer: 800 }), 'wait');
  assert.equal(at({ firstSeen: 0, lastAnswer: 700 }), 'evict');
  assert.equal(at({ firstSeen: 800, lastAnswer: undefined }), 'wait');
  assert.equal(at({ firstSeen: 700, lastAnswer: undefined }), 'evict');
});

const node = (metadata: object) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', ...metadata } });

test('a Node asks for the removal of its member by its deletion or by annotation', () => {
  assert.equal(wishOf(node({})), undefined);
  assert.equal(wishOf(node({ annotations: { [annotations.remove]: 'true' } })), 'remove');
  assert.equal(wishOf(node({ annotations: { [annotations.remove]: 'false' } })), undefined);
  assert.equal(wishOf(node({ deletionTimestamp: 'now', finalizers: [finalizer] })), 'delete');
  assert.equal(wishOf(node({ deletionTimestamp: 'now', finalizers: ['another'] })), undefined);
});

test('a Node shows its member once, and nothing but the name of one that was removed', () => {
  const patch = renderNodePatch(node({}), { name: 'm1', address: '10.0.0.1' });
  const shown = { 'etcd.rfo.io/node-name': 'm1', 'etcd.rfo.io/node-address': '10.0.0.1' };
  assert.deepEqual(patch, {
    metadata: { annotations: { ...shown, 'etcd.rfo.io/removed-node-name': null }, finalizers: ['etcd.rfo.io/member'] },
  });
  assert.equal(renderNodePatch(node({ annotations: shown, finalizers: ['x', finalizer] }), { name: 'm1', address: '10.0.0.1' }), undefined);
  assert.deepEqual(renderRemovedPatch('m1'), {
    metadata: {
      annotations: {
        'etcd.rfo.io/remove': null,
        'etcd.rfo.io/node-name': null,
        'etcd.rfo.io/node-address': null,
        'etcd.rfo.io/removed-node-name': 'm1',
      },
      '$deleteFromPrimitiveList/finalizers': ['etcd.rfo.io/member'],
    },
  });
});

test('the condition is written when it changes, with the time of the change', () => {
  const now = new Date('2026-11-21T10:00:00.500Z');
  const votes = renderCondition(node({}), { reason: 'VotingMember', message: 'm1 votes', now });
  assert.deepEqual(votes, {
    type: 'EtcdIsVoter',
    status: 'True',
    reason: 'VotingMember',
    message: 'm1 votes',
    lastTransitionTime: '2026-11-21T10:00:00Z',
  });
  const known = { ...node({}), status: { conditions: votes === undefined ? [] : [votes] } };
  const later = new Date('2026-11-21T11:00:00Z');
  assert.equal(renderCondition(known, { reason: 'VotingMember', message: 'm1 votes', now: later }), undefined);
  const renamed = renderCondition(known, { reason: 'VotingMember', message: 'm2 votes', now: later });
  assert.equal(renamed?.lastTransitionTime, '2026-11-21T10:00:00Z');
  const removed = renderCondition(known, { reason: 'Removed', message: 'gone', now: later });
  assert.deepEqual([removed?.status, removed?.lastTransitionTime], ['False', '2026-11-21T11:00:00Z']);
});
