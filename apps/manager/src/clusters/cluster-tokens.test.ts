import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { startTestCluster, type TestCluster } from '@rfo/kube';
import { createClusterTokens } from './cluster-tokens.ts';
import { createRegistrations } from './registrations.ts';
import { parseAgentToken } from './secret-token.ts';

const day = 24 * 3_600_000;
let time = Date.parse('2026-11-21T10:00:00Z');
const clock = { now: () => time };
let cluster: TestCluster;
before(async () => {
  cluster = await startTestCluster();
});
after(() => cluster?.stop());

const clusterToken = (text: string) => {
  const token = parseAgentToken(text);
  return token?.kind === 'cluster' ? token : assert.fail('no token of a cluster');
};
const registerToken = (text: string) => {
  const token = parseAgentToken(text);
  return token?.kind === 'register' ? token : assert.fail('no token of an import');
};

it('a token is good when it is given, and the one before ends an hour after the new one is kept', async () => {
  const tokens = createClusterTokens({ client: cluster.client, namespace: 'default', clock });
  const first = (await tokens.issue('one')) ?? assert.fail('none');
  assert.deepEqual(await tokens.check(clusterToken(first.token)), { verdict: 'good', old: false });
  time += 8 * day;
  assert.equal(await tokens.isOld('one'), true);
  const second = (await tokens.issue('one')) ?? assert.fail('none');
  assert.equal(await tokens.issue('one'), undefined, 'one at a time');
  await tokens.confirm('one', second.id);
  assert.equal((await tokens.check(clusterToken(first.token))).verdict, 'good');
  time += 3_600_000;
  assert.equal((await tokens.check(clusterToken(first.token))).verdict, 'expired');
  assert.deepEqual(await tokens.check(clusterToken(second.token)), { verdict: 'good', old: false });
  assert.equal(await tokens.isOld('one'), false);
});

it('a token that was given out and never kept ends, and one that is presented was kept', async () => {
  const tokens = createClusterTokens({ client: cluster.client, namespace: 'default', clock });
  const lost = (await tokens.issue('two')) ?? assert.fail('none');
  assert.equal(await tokens.issue('two'), undefined, 'it may still be kept');
  time += 700_000;
  const kept = (await tokens.issue('two')) ?? assert.fail('none');
  assert.equal((await tokens.check(clusterToken(kept.token))).verdict, 'good');
  time += 8 * day;
  assert.equal((await tokens.check(clusterToken(lost.token))).verdict, 'expired');
  assert.equal((await tokens.check(clusterToken(kept.token))).verdict, 'good');
});

it('an agent that has kept a token and was not heard gets in by it whenever the manager is back, and by the one before', async () => {
  const tokens = createClusterTokens({ client: cluster.client, namespace: 'default', clock });
  const first = (await tokens.issue('five')) ?? assert.fail('none');
  await tokens.confirm('five', first.id);
  const second = (await tokens.issue('five')) ?? assert.fail('none');
  time += 2 * day;
  assert.equal((await tokens.check(clusterToken(first.token))).verdict, 'good');
  assert.equal((await tokens.check(clusterToken(second.token))).verdict, 'good');
  time += 8 * day;
  assert.equal((await tokens.check(clusterToken(second.token))).verdict, 'good');
  assert.equal((await tokens.check(clusterToken(first.token))).verdict, 'expired');
});

it('nothing ends for the sake of a token that is none, or that has been replaced', async () => {
  const tokens = createClusterTokens({ client: cluster.client, namespace: 'default', clock });
  const first = (await tokens.issue('six')) ?? assert.fail('none');
  time += 700_000;
  const second = (await tokens.issue('six')) ?? assert.fail('none');
  await tokens.confirm('six', second.id);
  await tokens.confirm('six', 'nonsense');
  assert.equal((await tokens.check(clusterToken(first.token))).verdict, 'good', 'its overlap');
  time += day;
  assert.equal((await tokens.check(clusterToken(second.token))).verdict, 'good');
});

it('a token is none of another cluster, and of none whose secret is another', async () => {
  const tokens = createClusterTokens({ client: cluster.client, namespace: 'default', clock });
  const { token } = (await tokens.issue('three')) ?? assert.fail('none');
  const good = clusterToken(token);
  assert.equal((await tokens.check({ ...good, cluster: 'one' })).verdict, 'unknown');
  assert.equal(
    (await tokens.check({ ...good, secret: good.secret.replace(/^./, (first) => (first === 'a' ? 'b' : 'a')) })).verdict,
    'unknown',
  );
  for (const text of ['', 'rfoc_three', `${token} `, token.replace('rfoc_', 'rfor_')])
    assert.notEqual(parseAgentToken(text)?.kind, 'cluster', text);
});

it('an import address is good until it is used, replaced or expired', async () => {
  const registrations = createRegistrations({ client: cluster.client, namespace: 'default', clock });
  const first = await registrations.create('four', day);
  assert.equal(await registrations.find(registerToken(first.token)), 'four');
  const second = await registrations.create('four', day);
  await assert.rejects(registrations.find(registerToken(first.token)), { code: 'registration-unknown' });
  time += day;
  await assert.rejects(registrations.find(registerToken(second.token)), { code: 'registration-expired' });
  const third = registerToken((await registrations.create('four', day)).token);
  await registrations.consume(third.id);
  await assert.rejects(registrations.find(third), { code: 'registration-unknown' });
});
