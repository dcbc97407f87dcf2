import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { createTestMembers, type TestMember, type TestMembers } from '@rfo/etcd';
import { createLog, fail, silentLog, systemClock } from '@rfo/foundation';
import { poll } from '@rfo/process';
import type { Alone } from '../component/run-alone.ts';
import { type LeaveOptions, leaveCluster } from './leave-cluster.ts';
import { createMemberService } from './member-service.ts';
import { readKnownMembers, writeJoinMark, writeKnownMembers, writeOwnRecord } from './membership.ts';
import { createPeerProbe } from './probe-peer.ts';
import { directClient, nobody, type TestServer, testServer } from './server.testing.ts';

const within = (seconds: number): AbortSignal => AbortSignal.timeout(seconds * 1000);
// Members come and go here without the five seconds that etcd wants to have seen each connection for.
const args = ['--strict-reconfig-check=false'];

describe('a server that does without etcd from now on', { timeout: 120_000 }, () => {
  let members: TestMembers;
  before(async () => {
    members = await createTestMembers();
  });
  after(() => members.stop());

  const first = async (name: string): Promise<{ server: TestServer; etcd: TestMember }> => {
    const server = await testServer(members, name);
    const etcd = await server.launch((await server.prepare({})).prepared, args);
    await poll(() => etcd.client.health(), { signal: within(90) });
    return { server, etcd };
  };
  /** Another that joined it and votes. */
  const second = async (by: TestMember, name: string): Promise<{ server: TestServer; etcd: TestMember }> => {
    const server = await testServer(members, name);
    const join = directClient(createMemberService({ etcd: by.client, pace: { retry: 20, wait: 3_000 } }));
    const { prepared } = await server.prepare({ join });
    const etcd = await server.launch(prepared, args);
    await poll(
      async () => {
        const [learner] = (await by.client.members()).filter((member) => member.isLearner);
        if (learner !== undefined) await by.client.memberPromote(learner.id);
        await etcd.client.health();
      },
      { signal: within(90) },
    );
    return { server, etcd };
  };
  /** The running etcd of a server, as its own `rfo` adopts it. */
  const adopts = (etcd: TestMember): { run: LeaveOptions['run']; ended: string[] } => {
    const ended: string[] = [];
    const run = (): Alone => ({
      ready: (signal) => poll(() => etcd.client.health({ signal }), { signal }),
      adopted: () => true,
      stop: async () => {
        ended.push('stopped');
        await etcd.kill();
      },
      release: async () => void ended.push('released'),
    });
    return { run, ended };
  };
  const leave = (server: TestServer, etcd: TestMember, more: Pick<LeaveOptions, 'run'> & Partial<LeaveOptions>): Promise<void> =>
    leaveCluster({
      ...{ paths: server.paths, nodeName: server.nodeName, nodeIp: '127.0.0.1', peerUrl: server.slot.peerUrl, etcd: etcd.client },
      ...{ join: { removeUnstartedMember: nobody }, ask: nobody, probe: createPeerProbe(members.peerTls) },
      ...{ signal: within(60), log: silentLog, clock: systemClock, every: 50 },
      ...more,
    });
  /** As a server of the cluster answers. */
  const asking =
    ({ client }: TestMember): LeaveOptions['ask'] =>
    (_, signal) =>
      client.members({ linearizable: true, signal });
  const note = async (server: TestServer, etcd: TestMember): Promise<void> => writeKnownMembers(server.paths, await etcd.client.members());

  it('hands the leadership over, is removed and keeps its data aside', async () => {
    const one = await first('one');
    const two = await second(one.etcd, 'two');
    await note(one.server, one.etcd);
    const { leader, memberId } = await one.etcd.client.status();
    assert.equal(leader, memberId);
    const { run, ended } = adopts(one.etcd);
    await leave(one.server, one.etcd, { run, ask: asking(two.etcd) });
    const left = await two.etcd.client.members({ linearizable: true });
    assert.deepEqual(
      left.map(({ peerUrls }) => peerUrls),
      [[two.server.slot.peerUrl]],
    );
    assert.deepEqual(ended, ['stopped']);
    assert.equal(one.server.files().length, 2);
    assert.match(one.server.files().join(), /^etcd-backup-\d+,members\.json$/);
    // By these it is reached from now on.
    assert.deepEqual(
      (await readKnownMembers(one.server.paths)).map(({ id }) => id),
      left.map(({ id }) => id),
    );
    const log = createLog({ write: (line) => assert.fail(line) });
    await leave(one.server, one.etcd, { run: () => assert.fail('it has left already'), log });
  });

  it('refuses while it is the last that votes, and lets etcd run on', async () => {
    const { server, etcd } = await first('one');
    await note(server, etcd);
    const before = readdirSync(server.slot.dataDir);
    const { run, ended } = adopts(etcd);
    await assert.rejects(leave(server, etcd, { run }), fail('etcd-last-member', { name: 'one' }));
    assert.deepEqual(ended, ['released']);
    assert.deepEqual(readdirSync(server.slot.dataDir), before);
    await etcd.client.health();
  });

  it('waits while the others could not go on without it', async () => {
    const one = await first('one');
    const two = await second(one.etcd, 'two');
    const three = await second(one.etcd, 'three');
    await note(one.server, one.etcd);
    await two.etcd.kill();
    const said = Promise.withResolvers<string>();
    const log = createLog({ write: (line) => void (line.includes('cannot be left yet') && said.resolve(line)) });
    const { run } = adopts(one.etcd);
    const leaving = leave(one.server, one.etcd, { run, log, ask: asking(three.etcd) });
    assert.match(await said.promise, /of the 2 members that would remain 2 must live, and two-[0-9a-f]{8} does not answer/);
    assert.equal((await three.etcd.client.members()).length, 3);
    const { prepared } = await two.server.prepare({});
    await two.server.launch(prepared, args);
    await leaving;
    assert.equal((await three.etcd.client.members()).length, 2);
  });

  it('only cleans up where the cluster has removed it already', async () => {
    const { server, etcd } = await first('one');
    const other = { id: '1', name: 'other', peerUrls: ['https://192.0.2.1:2380'], clientUrls: [], isLearner: false };
    await writeKnownMembers(server.paths, [...(await etcd.client.members()), other]);
    await etcd.kill();
    await leave(server, etcd, { run: () => assert.fail('etcd is not to be started'), ask: async () => [other] });
    assert.match(server.files().join(), /^etcd-backup-\d+,members\.json$/);
    assert.deepEqual(await readKnownMembers(server.paths), [other]);
  });

  it('takes a join back that was under way', async () => {
    const server = await testServer(members, 'two');
    await writeOwnRecord(server.paths, { name: 'two-00000000', initialCluster: 'x' });
    await writeJoinMark(server.paths, { name: 'two-00000000', peerUrl: server.slot.peerUrl });
    const removed: string[] = [];
    const join = { removeUnstartedMember: async (name: string) => void removed.push(name) };
    const { etcd } = await first('unused');
    await leave(server, etcd, { run: () => assert.fail('there is nothing to start'), join });
    assert.deepEqual(removed, [server.slot.peerUrl]);
    assert.deepEqual(server.files(), ['members.json']);
  });
});
