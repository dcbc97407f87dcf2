import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { createEtcdClient, createTestMembers, type EtcdMember, type TestMember, type TestMembers } from '@rfo/etcd';
import { type ErrorCode, fail, Life, silentLog } from '@rfo/foundation';
import type { MembersClient } from './join-member.ts';
import { createMemberService } from './member-service.ts';
import { readJoinMark, readKnownMembers, readOwnRecord, writeKnownMembers } from './membership.ts';
import type { PreparedMember, PrepareOptions } from './prepare-member.ts';
import { directClient, nobody, type TestServer, testServer } from './server.testing.ts';

const within = (seconds: number): AbortSignal => AbortSignal.timeout(seconds * 1000);
const code = (expected: ErrorCode) => ({ code: expected });

type Cluster = { readonly members: TestMembers; readonly first: TestMember; readonly client: MembersClient };

/** A cluster of one server, and the join API to it. */
async function startCluster(args: readonly string[] = []): Promise<Cluster> {
  const members = await createTestMembers();
  const server = await testServer(members, 'one');
  const first = await server.launch((await server.prepare({})).prepared, args);
  await first.answers();
  await first.client.health({ signal: within(90) });
  return { members, first, client: directClient(createMemberService({ etcd: first.client, pace: { retry: 20, wait: 300 } })) };
}

/** The component `etcd-join`, to its end. */
async function vote(prepared: PreparedMember, etcd: TestMember): Promise<void> {
  await prepared.joinTask(etcd.client, () => undefined)?.run({ life: new Life(), log: silentLog, note: () => undefined });
}

describe('a server that joins a real cluster', { timeout: 120_000 }, () => {
  let members: TestMembers;
  let first: TestMember;
  let cluster: MembersClient;
  before(async () => {
    // Members come and go here without the five seconds that etcd wants to have seen each connection for.
    const started = await startCluster(['--strict-reconfig-check=false']);
    ({ members, first, client: cluster } = started);
  });
  after(() => members.stop());

  const others = async (): Promise<EtcdMember[]> =>
    (await first.client.members({ linearizable: true })).filter(({ name }) => name !== 'one');
  const leave = async (etcd: TestMember): Promise<void> => {
    for (const { id } of await others()) await first.client.memberRemove(id, { signal: within(90) });
    await etcd.kill();
    assert.equal((await others()).length, 0);
  };
  const joined = async (
    server: TestServer,
    options: Partial<PrepareOptions> = {},
  ): Promise<{ prepared: PreparedMember; etcd: TestMember }> => {
    const { prepared } = await server.prepare({ join: cluster, ...options });
    const etcd = await server.launch(prepared);
    await vote(prepared, etcd);
    return { prepared, etcd };
  };

  it('votes after its etcd has caught up, and goes on as it is when it starts again', async () => {
    const server = await testServer(members, 'two');
    const { prepared } = await server.prepare({ join: cluster });
    const mark = await readJoinMark(server.paths);
    assert.match(mark?.name ?? '', /^two-[0-9a-f]{8}$/);
    const [learner] = await others();
    assert.deepEqual([learner?.name, learner?.isLearner, learner?.peerUrls], ['', true, [server.slot.peerUrl]]);

    const etcd = await server.launch(prepared);
    await vote(prepared, etcd);
    await etcd.client.health({ signal: within(90) });
    assert.deepEqual(
      (await others()).map(({ name, isLearner }) => [name, isLearner]),
      [[mark?.name, false]],
    );
    assert.equal(existsSync(server.paths.server.etcdJoining), false);

    await etcd.kill();
    const again = await server.prepare({ join: cluster });
    assert.equal(
      again.prepared.joinTask(etcd.client, () => undefined),
      undefined,
    );
    const membership = await again.prepared.membership();
    assert.deepEqual(membership, await prepared.membership());
    assert.deepEqual([membership.name, membership.state, membership.alone], [mark?.name, 'existing', false]);
    const back = await server.launch(again.prepared);
    await back.answers();
    await back.client.health({ signal: within(90) });
    await leave(back);
  });

  it('has its etcd started anew, once, where that says nothing although its data have come', async () => {
    // From a hundred on, the first of them are no longer there to be told one by one.
    for (let number = 0; number < 250; number++) await first.client.put('/number', String(number));
    const server = await testServer(members, 'two');
    const { prepared } = await server.prepare({ join: cluster });
    const silent = await server.launch(prepared);
    const data = join(server.paths.server.etcd, 'member/snap');
    const patience = within(90);
    while (!existsSync(data) || !readdirSync(data).some((file) => file.endsWith('.snap'))) {
      patience.throwIfAborted();
      await new Promise((resolve) => setImmediate(resolve));
    }
    silent.pause();
    const anew: Promise<TestMember>[] = [];
    const startAnew = async (): Promise<TestMember> => {
      await silent.kill();
      return await server.launch(prepared);
    };
    // That of the silent one is closed with it.
    const own = createEtcdClient(server.slot.endpoint);
    await prepared.joinTask(own, () => anew.push(startAnew()))?.run({ life: new Life(), log: silentLog, note: () => undefined });
    assert.equal(anew.length, 1);
    own.close();
    for (const etcd of anew) await leave(await etcd);
  });

  it('begins anew when it was killed before its etcd had written anything', async () => {
    const server = await testServer(members, 'two');
    await server.prepare({ join: cluster });
    const [dead] = await others();
    const { etcd } = await joined(server);
    const now = await others();
    assert.equal(now.length, 1);
    assert.notEqual(now[0]?.id, dead?.id);
    await leave(etcd);
  });

  it('goes on with its learner when it was killed before that had its vote', async () => {
    const server = await testServer(members, 'two');
    const { prepared } = await server.prepare({ join: cluster });
    const killed = await server.launch(prepared);
    await killed.answers();
    await killed.kill();

    const again = await server.prepare({ join: cluster });
    const etcd = await server.launch(again.prepared);
    await vote(again.prepared, etcd);
    assert.deepEqual(
      (await others()).map(({ name, isLearner }) => [name, isLearner]),
      [[(await readOwnRecord(server.paths))?.name, false]],
    );
    await leave(etcd);
  });

  it('begins anew from the address that its host has now, whether its learner had started or not', async () => {
    const server = await testServer(members, 'two');
    const [second, third] = [await members.slot(), await members.slot()];
    const peerUrls = async (): Promise<readonly (readonly string[])[]> => (await others()).map((member) => member.peerUrls);
    await server.prepare({ join: cluster });
    assert.deepEqual(await peerUrls(), [[server.slot.peerUrl]]);
    const { prepared } = await server.prepare({ join: cluster, peerUrl: second.peerUrl });
    assert.deepEqual(await peerUrls(), [[second.peerUrl]]);

    const etcd = await members.launch({ ...second, dataDir: server.slot.dataDir }, { ...(await prepared.membership()), args: [] });
    await etcd.answers();
    await etcd.kill();
    await server.prepare({ join: cluster, peerUrl: third.peerUrl });
    assert.deepEqual(await peerUrls(), [[third.peerUrl]]);
    assert.ok(!server.files().includes('etcd'), 'the data of the learner that was taken back is there still');
    await cluster.removeUnstartedMember(third.peerUrl);
  });

  it('joins under a new name when its learner was evicted meanwhile', async () => {
    const server = await testServer(members, 'two');
    const { prepared } = await server.prepare({ join: cluster });
    const killed = await server.launch(prepared);
    await killed.answers();
    await killed.kill();
    const before = (await readJoinMark(server.paths))?.name;
    for (const { id } of await others()) await first.client.memberRemove(id);

    const { etcd } = await joined(server);
    const [now] = await others();
    assert.notEqual(now?.name, before);
    assert.equal(now?.isLearner, false);
    await leave(etcd);
  });

  it('finds the right members for its first start when one of them went meanwhile', async () => {
    const server = await testServer(members, 'two');
    const { prepared } = await server.prepare({ join: cluster });
    // The learner is taken out before etcd starts: it is added again.
    for (const { id } of await others()) await first.client.memberRemove(id);
    const etcd = await server.launch(prepared);
    await vote(prepared, etcd);
    assert.equal((await others())[0]?.isLearner, false);
    await leave(etcd);
  });

  it('leaves nothing when the cluster refuses it, or cannot be reached', async () => {
    const namesake = await testServer(members, 'one');
    await assert.rejects(namesake.prepare({ join: cluster }), code('etcd-node-name-taken'));
    assert.deepEqual(namesake.files(), []);

    const lost = await testServer(members, 'two');
    const away = (): Promise<never> => Promise.reject(fail('etcd-unreachable', { endpoint: 'there', problem: 'it is away' }));
    const join = { members: away, addMember: away, removeUnstartedMember: away, promote: away };
    await assert.rejects(lost.prepare({ join, pace: { answer: 500, ask: 20, look: 20, stalled: 100 } }), code('etcd-unreachable'));
    assert.deepEqual(lost.files(), []);
    await assert.rejects(lost.prepare({ join, cancelled: within(0.1) }), /timeout/);
    assert.deepEqual(lost.files(), []);
    assert.deepEqual(await others(), []);
  });

  it('takes its learner back when nothing moves, and removes its data when etcd has ended', async () => {
    const server = await testServer(members, 'two');
    const { prepared, life } = await server.prepare({ join: cluster, pace: { answer: 500, ask: 20, look: 20, stalled: 300 } });
    // What a start that failed half-way leaves.
    mkdirSync(join(server.paths.server.etcd, 'member', 'snap'), { recursive: true });
    writeFileSync(join(server.paths.server.etcd, 'member', 'snap', 'db'), 'half');
    assert.equal((await others()).length, 1);
    await assert.rejects(vote(prepared, { ...first, client: { ...first.client, status: nobody } }), code('etcd-join-failed'));
    assert.deepEqual(await others(), []);
    await life.end();
    assert.deepEqual(server.files(), []);
  });

  it('does not take the answer of a lost question for a failure', async () => {
    const server = await testServer(members, 'two');
    const forgetful: MembersClient = {
      ...cluster,
      addMember: async (wish) => {
        await cluster.addMember(wish);
        throw fail('etcd-unreachable', { endpoint: 'there', problem: 'the connection broke' });
      },
    };
    const { life } = await server.prepare({ join: forgetful });
    assert.deepEqual(
      (await others()).map(({ peerUrls }) => peerUrls),
      [[server.slot.peerUrl]],
    );
    await cluster.removeUnstartedMember(server.slot.peerUrl);
    await life.end();
  });

  describe('and returns', () => {
    it('after it was removed: its data is moved aside and it joins anew, but only where server is set', async () => {
      const server = await testServer(members, 'two');
      const { etcd } = await joined(server);
      await writeKnownMembers(server.paths, await first.client.members());
      const before = (await readOwnRecord(server.paths))?.name;
      await leave(etcd);

      const ask = async (address: string) => {
        assert.equal(address, '127.0.0.1');
        return first.client.members({ linearizable: true });
      };
      await assert.rejects(server.prepare({ ask }), code('etcd-member-removed'));
      assert.deepEqual(server.files(), ['etcd', 'etcd-member.json', 'members.json']);

      const { prepared } = await server.prepare({ ask, join: cluster });
      assert.equal(server.files().filter((name) => /^etcd-backup-\d+$/.test(name)).length, 1);
      const back = await server.launch(prepared);
      await vote(prepared, back);
      assert.notEqual((await others())[0]?.name, before);
      await leave(back);
    });

    it('is told so when etcd is started again after its member was removed', async () => {
      const server = await testServer(members, 'two');
      const ask = () => first.client.members({ linearizable: true });
      const { prepared, etcd } = await joined(server, { ask });
      assert.equal((await prepared.membership()).state, 'existing');
      await leave(etcd);
      await assert.rejects(prepared.membership(), code('etcd-member-removed'));
      await assert.rejects(prepared.removed, code('etcd-member-removed'));
    });

    it('as it is when nobody can be asked', async () => {
      const server = await testServer(members, 'two');
      const { etcd } = await joined(server);
      await etcd.kill();
      const { prepared } = await server.prepare({});
      assert.equal((await prepared.membership()).state, 'existing');
      const back = await server.launch(prepared);
      await back.answers();
      await back.client.health({ signal: within(90) });
      await leave(back);
    });

    it('is not taken for a first one where it only used the etcd of others', async () => {
      const server = await testServer(members, 'two');
      await writeKnownMembers(server.paths, await first.client.members());
      await assert.rejects(server.prepare({}), code('etcd-data-missing'));
      assert.deepEqual(server.files(), ['members.json']);
    });

    it('without its data: no second cluster is begun', async () => {
      const server = await testServer(members, 'two');
      const { etcd } = await joined(server);
      await leave(etcd);
      rmSync(server.paths.server.etcd, { recursive: true });
      assert.ok((await readKnownMembers(server.paths)).length > 1);
      await assert.rejects(server.prepare({}), code('etcd-data-missing'));
    });
  });
});

test('two servers that join at once do it one after the other', { timeout: 60_000 }, async (t) => {
  const { members, first, client: join } = await startCluster();
  t.after(() => members.stop());
  const [one, other] = [await testServer(members, 'two'), await testServer(members, 'three')];
  const { prepared } = await one.prepare({ join });
  const waiting = other.prepare({ join });
  await vote(prepared, await one.launch(prepared));
  // etcd wants the connections of the new voter to have lasted for five seconds.
  const later = (await waiting).prepared;
  await vote(later, await other.launch(later));
  assert.deepEqual(
    (await first.client.members({ linearizable: true })).map(({ name, isLearner }) => [name.slice(0, -9), isLearner]).sort(),
    [
      ['', false],
      ['three', false],
      ['two', false],
    ],
  );
  assert.equal((await later.membership()).initialCluster.split(',').length, 3);
});
