import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createTestMembers, type EtcdMember, type TestMember, type TestMembers, type TestSlot } from '@rfo/etcd';
import { Life, silentLog, systemClock } from '@rfo/foundation';
import { type EventObject, startTestCluster, type TestCluster, waitForObject } from '@rfo/kube';
import { poll } from '@rfo/process';
import { nodePaths } from '../paths.ts';
import { followNodes } from '../server/cluster-nodes.ts';
import { type CareOptions, careForMembers } from './care-for-members.ts';
import { forgetMember } from './forget-member.ts';
import { readKnownMembers, writeJoinMark } from './membership.ts';
import { annotations, finalizer, type ServerNode } from './node-member.ts';
import { createPeerProbe } from './probe-peer.ts';

const within = (seconds: number): AbortSignal => AbortSignal.timeout(seconds * 1000);

describe('the care for members of a real etcd', { timeout: 180_000 }, () => {
  let kube: TestCluster;
  let members: TestMembers;
  const places = new Map<string, TestSlot>();
  const running = new Map<string, TestMember>();
  let life: Life;
  before(async () => {
    [kube, members] = await Promise.all([startTestCluster(), createTestMembers()]);
    life = new Life();
    const place = await members.slot();
    places.set('a', place);
    running.set('a', await members.start(place, { name: 'a' }));
  });
  after(async () => {
    await life.end();
    await Promise.all([kube.stop(), members.stop()]);
  });

  const get = (name: string): TestMember => {
    const found = running.get(name);
    if (found === undefined) throw new Error(`${name} does not run`);
    return found;
  };
  const pathsOf = (name: string) => {
    const folder = mkdtempSync(join(members.folder, `${name}-`));
    return nodePaths({ dataDir: folder, runDir: folder, etcDir: folder });
  };
  const care = (name: string, change: Partial<CareOptions> = {}) => {
    const { informer: nodes } = followNodes({ client: kube.client, life, log: silentLog });
    const options = {
      ...{ paths: pathsOf(name), nodeName: name, nodeIp: '127.0.0.1', peerUrl: get(name).peerUrl, etcd: get(name).client },
      ...{ client: kube.client, nodes, probe: createPeerProbe(members.peerTls), life: life.child(), log: silentLog, clock: systemClock },
      pace: { every: 100, patience: 1_000, move: 10_000 },
      ...change,
    };
    careForMembers(options);
    return options;
  };
  const addNode = (name: string) =>
    kube.client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'node-role.kubernetes.io/etcd': 'true' } } });
  const nodeOf = (name: string, accept: (node: ServerNode) => boolean): Promise<ServerNode> =>
    waitForObject<ServerNode>(kube.client, { apiVersion: 'v1', kind: 'Node', name }, { accept, signal: within(90) });
  const eventOf = (name: string): Promise<EventObject> => {
    const ref = { apiVersion: 'v1', kind: 'Event', namespace: 'default', name };
    return waitForObject<EventObject>(kube.client, ref, { accept: () => true, signal: within(90) });
  };
  const whenMembers = (holds: (all: EtcdMember[]) => boolean, by = 'a'): Promise<void> =>
    poll(
      async () => {
        const all = await get(by).client.members();
        if (!holds(all)) throw new Error(JSON.stringify(all));
      },
      { signal: within(90) },
    );
  const patchNode = (name: string, metadata: object) => kube.client.patch({ apiVersion: 'v1', kind: 'Node', name }, { metadata });
  /** Joins as a server does that ends before it asks for its vote. */
  const addLearner = async (name: string): Promise<void> => {
    const place = await members.slot();
    await poll(async () => void (await get('a').client.memberAdd({ peerUrls: [place.peerUrl], isLearner: true })), { signal: within(90) });
    const all = (await get('a').client.members()).map((member) => `${member.name || name}=${member.peerUrls[0]}`);
    places.set(name, place);
    running.set(name, await members.start(place, { name, initialCluster: all.join(','), state: 'existing' }));
  };

  it('shows the member on its Node, and notes the members', async () => {
    await addNode('a');
    const { paths } = care('a');
    const node = await nodeOf('a', ({ status }) => (status?.conditions ?? []).some(({ type }) => type === 'EtcdIsVoter'));
    assert.deepEqual(node.metadata.annotations, { 'etcd.rfo.io/node-name': 'a', 'etcd.rfo.io/node-address': '127.0.0.1' });
    assert.deepEqual(node.metadata.finalizers, [finalizer]);
    const [condition] = (node.status?.conditions ?? []).filter(({ type }) => type === 'EtcdIsVoter');
    assert.deepEqual([condition?.status, condition?.reason], ['True', 'VotingMember']);
    assert.deepEqual(
      (await readKnownMembers(paths)).map(({ name }) => name),
      ['a'],
    );
  });

  it('refuses to remove the last that votes, and clears the annotation', async () => {
    await patchNode('a', { annotations: { [annotations.remove]: 'true' } });
    await nodeOf('a', ({ metadata }) => metadata.annotations?.[annotations.remove] === undefined);
    const { message } = await eventOf('a.etcdremovalrefused');
    assert.equal(message, 'a is the last member of etcd that votes: it stays');
  });

  it('evicts a learner that never started', async () => {
    const nowhere = await members.slot();
    await get('a').client.memberAdd({ peerUrls: [nowhere.peerUrl], isLearner: true });
    await whenMembers((all) => all.length === 1);
    const { type, message } = await eventOf('a.etcdlearnerevicted');
    assert.equal(type, 'Warning');
    assert.equal(message, `the etcd learner at ${nowhere.peerUrl}, which never started, did not answer for 1 s and was taken out`);
  });

  it('promotes a learner whose server does not ask for it', async () => {
    await addLearner('b');
    await whenMembers((all) => all.length === 2 && all.every(({ isLearner }) => !isLearner));
    await addNode('b');
    const paths = pathsOf('b');
    await writeJoinMark(paths, { name: 'b', peerUrl: get('b').peerUrl });
    care('b', { paths });
    await nodeOf('b', ({ metadata }) => metadata.annotations?.[annotations.name] === 'b');
    assert.equal((await readKnownMembers(paths)).length, 2);
  });

  it('takes its new address into etcd', async () => {
    await get('b').kill();
    const place = { ...(await members.slot()), dataDir: get('b').dataDir };
    running.set('b', await members.start(place, { name: 'b', state: 'existing' }));
    care('b');
    await whenMembers((all) => all.some(({ name, peerUrls }) => name === 'b' && peerUrls[0] === place.peerUrl));
    assert.match((await eventOf('b.etcdaddresschanged')).message, /^the address of the etcd member b changed from https:.* to https:/);
  });

  it('tells once that three live, and does not let a removal break the majority', async () => {
    await addLearner('c');
    await whenMembers((all) => all.length === 3 && all.every(({ isLearner }) => !isLearner));
    let told = 0;
    const outgrown = new Promise<void>((resolve) => {
      care('a', {
        onOutgrown: async () => {
          told += 1;
          resolve();
        },
      });
    });
    await outgrown;
    // The leadership was handed over first: this one is restarted.
    const { leader, memberId } = await get('a').client.status();
    assert.notEqual(leader, memberId);

    await addNode('c');
    care('c');
    await nodeOf('c', ({ metadata }) => metadata.finalizers?.includes(finalizer) === true);
    await get('c').kill();
    await kube.client.delete({ apiVersion: 'v1', kind: 'Node', name: 'b' });
    const { message } = await eventOf('b.etcdremovalwaits');
    assert.equal(message, 'the etcd member b cannot be removed yet: of the 2 members that would remain 2 must live, and c does not answer');
    assert.equal((await get('a').client.members()).length, 3);
    assert.equal(told, 1);

    // The dead one may go, and then the other.
    await kube.client.delete({ apiVersion: 'v1', kind: 'Node', name: 'c' });
    await whenMembers((all) => all.length === 1);
    await poll(
      async () => {
        const left = await kube.client.list({ apiVersion: 'v1', kind: 'Node' });
        if (left.items.length !== 1) throw new Error('Nodes are held');
      },
      { signal: within(90) },
    );
  });

  it('takes from a Node what it showed of a member that its server has no more', async () => {
    const name = 'former';
    const shown = { [annotations.name]: 'former-00000000', [annotations.address]: '192.0.2.1', other: 'stays' };
    await kube.client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, annotations: shown, finalizers: [finalizer] } });
    const forget = () => forgetMember({ client: kube.client, nodeName: name, now: new Date(), signal: within(90) });
    await forget();
    const { metadata, status } = await nodeOf(name, () => true);
    assert.deepEqual(
      [metadata.annotations, metadata.finalizers],
      [{ other: 'stays', [annotations.removed]: 'former-00000000' }, undefined],
    );
    const [condition] = (status?.conditions ?? []).filter(({ type }) => type === 'EtcdIsVoter');
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'Removed']);
    await forget();
    assert.equal((await nodeOf(name, () => true)).metadata.resourceVersion, metadata.resourceVersion, 'it was written again');
    await kube.client.delete({ apiVersion: 'v1', kind: 'Node', name });
  });

  it('moves the leadership before the leader is removed, whose Node stays when it was asked by annotation', async () => {
    await addLearner('d');
    await whenMembers((all) => all.length === 2 && all.every(({ isLearner }) => !isLearner));
    await addNode('d');
    // It looks again soon because there is something to do, not because it is time.
    care('d', { pace: { every: 60_000, waiting: 100, patience: 1_000, move: 10_000 } });
    await nodeOf('d', ({ metadata }) => metadata.finalizers?.includes(finalizer) === true);
    await patchNode('a', { annotations: { [annotations.remove]: 'true' } });
    await whenMembers((all) => all.length === 1 && all[0]?.name === 'd', 'd');
    const node = await nodeOf('a', ({ metadata }) => metadata.annotations?.[annotations.removed] === 'a');
    assert.deepEqual([node.metadata.annotations, node.metadata.finalizers], [{ [annotations.removed]: 'a' }, undefined]);
    const [condition] = (node.status?.conditions ?? []).filter(({ type }) => type === 'EtcdIsVoter');
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'Removed']);
    const { leader, memberId } = await get('d').client.status();
    assert.equal(leader, memberId);
  });
});
