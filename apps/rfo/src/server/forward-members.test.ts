import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Life, RfoError } from '@rfo/foundation';
import { createSupervisorClient } from '../join/supervisor-client.ts';
import { fakeMembers, TestServer } from '../supervisor/supervisor.testing.ts';
import { forwardMembers } from './forward-members.ts';

test('a server without etcd passes on what joining servers ask, and what is answered', async () => {
  const behind = fakeMembers();
  const nodePasswords = { check: async () => undefined };
  await using withEtcd = await TestServer.start({ members: behind, nodePasswords });
  const { cert, key } = withEtcd.admin();
  const connect = async (signal: AbortSignal) =>
    createSupervisorClient({
      ...{ addresses: [{ host: '127.0.0.1', port: withEtcd.port }], ca: withEtcd.node.read('server-ca.crt'), nodeName: 'without', signal },
      clientCertificate: { cert, key },
    });
  await using life = new Life();
  const { signal } = life;
  const members = forwardMembers(connect);
  const wish = { nodeName: 'server-3', name: 'server-3-00000000', peerUrls: ['https://192.0.2.3:2380'] };
  assert.deepEqual(await members.list(signal), []);
  assert.deepEqual(await members.add(wish, signal), behind.peers);
  assert.deepEqual(behind.calls, ['add server-3 server-3-00000000']);
  assert.match(await members.promote(wish.name, signal), /3 % behind/);
  behind.state = 'voting';
  assert.equal(await members.promote(wish.name, signal), 'voting');
  await members.removeUnstarted('https://192.0.2.3:2380', signal);
  assert.equal(behind.calls.at(-1), 'remove https://192.0.2.3:2380');

  // And once more on: the caller of this server sees the words of the one behind it.
  await using without = await TestServer.start({ members, nodePasswords });
  behind.broken = new RfoError('etcd-node-name-taken', 'a server called x is a member already', 'Give this one another', undefined);
  const reply = await without.ask({ path: '/v1-rfo/etcd/members', as: without.admin() });
  assert.equal(reply.status, 409);
  assert.match(reply.problem?.message ?? '', /a server called x is a member already/);
});
