import assert from 'node:assert/strict';
import { test } from 'node:test';
import { belongsTo, newMemberName, renderInitialCluster } from './membership.ts';

const peer = (id: string, name: string, ...peerUrls: string[]) => ({ id, name, peerUrls, clientUrls: [], isLearner: false });

test('a member belongs to the node it is called after, with eight digits or without', () => {
  assert.equal(belongsTo(newMemberName('n1'), 'n1'), true);
  assert.equal(belongsTo('n1', 'n1'), true);
  for (const other of ['n10', 'n1-', 'n1-0a1b2c3', 'n1-0a1b2c3x', 'n1-0a1b2c3d4', 'xn1-0a1b2c3d'])
    assert.equal(belongsTo(other, 'n1'), false);
});

test('the initial cluster names every address, one that has no name yet by ours or by its id', () => {
  const members = [peer('1', 'one', 'https://a:2380', 'https://b:2380'), peer('2', '', 'https://c:2380'), peer('3', '', 'https://d:2380')];
  assert.equal(
    renderInitialCluster(members, { name: 'two-0a1b2c3d', peerUrl: 'https://c:2380' }),
    'one=https://a:2380,one=https://b:2380,two-0a1b2c3d=https://c:2380,unstarted-3=https://d:2380',
  );
});
