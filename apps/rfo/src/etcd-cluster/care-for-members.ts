import type { EtcdClient, EtcdMember } from '@rfo/etcd';
import { type Clock, type Life, type Log, sleep, toRfoError } from '@rfo/foundation';
import type { Informer, KubeClient } from '@rfo/kube';
import type { Paths } from '../paths.ts';
import type { ClusterNode } from '../server/cluster-nodes.ts';
import { careForLearners, type Sights } from './care-for-learners.ts';
import { peerUrlOf, readJoinMark, removeJoinMark, writeKnownMembers } from './membership.ts';
import { isMembersNode, renderCondition, renderNodePatch, wishOf } from './node-member.ts';
import { livingOf, type ProbePeer } from './probe-peer.ts';
import { removeWishedMembers } from './remove-members.ts';
import { type Tell, tellNode } from './tell-node.ts';

export type CareOptions = {
  readonly paths: Paths;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Of this server's own etcd. */
  readonly etcd: EtcdClient;
  readonly client: KubeClient;
  /** All Nodes, with at least what shows the members. */
  readonly nodes: Informer<ClusterNode>;
  readonly probe: ProbePeer;
  /** Once, when a server that was started alone has become one of three or more that all live: its etcd may take the others' timers. */
  readonly onOutgrown?: () => Promise<void>;
  readonly life: Life;
  readonly log: Log;
  readonly clock: Clock;
  /** `https://<node-ip>:2380`, but for tests on one host. */
  readonly peerUrl?: string;
  readonly pace?: Partial<CarePace>;
};

/** Milliseconds. */
export type CarePace = {
  /** Between two looks, when no Node changes. */
  readonly every: number;
  /** The same, while a member is to be removed: by another server's work the leadership may have come here. */
  readonly waiting: number;
  /** A learner that does not answer for so long is evicted. */
  readonly patience: number;
  /** For the leadership to move. */
  readonly move: number;
};
const usualPace: CarePace = { every: 10_000, waiting: 1_000, patience: 5 * 60_000, move: 60_000 };

/** What the steps of one look work with. */
export type Look = {
  readonly options: CareOptions;
  readonly pace: CarePace;
  readonly members: readonly EtcdMember[];
  /** Our own member; it votes. */
  readonly self: EtcdMember;
  readonly leads: boolean;
  readonly tell: Tell;
  /** What need not be said again. */
  readonly said: Set<string>;
  readonly signal: AbortSignal;
};

const nodeKind = { apiVersion: 'v1', kind: 'Node' } as const;

/**
 * Looks after the members of etcd until its life ends, on every server: keeps `db/members.json`, this server's address in etcd, and what
 * its Node shows. The server whose etcd leads also promotes or evicts learners and removes the members of Nodes that are deleted or
 * annotated `etcd.rfo.io/remove=true`.
 */
export function careForMembers(options: CareOptions): void {
  const { etcd, nodes, nodeName, life, log } = options;
  const pace = { ...usualPace, ...options.pace };
  const tell = tellNode(options);
  const sights: Sights = new Map();
  const said = new Set<string>();
  const told = new Map<string, string>();
  let outgrown = options.onOutgrown;
  let wake = new AbortController();
  const unsubscribe = nodes.subscribe(({ key, before, after }) => {
    if (key === nodeName || isMembersNode(before) || isMembersNode(after)) wake.abort();
  });
  life.defer(unsubscribe);

  const attempt = async (what: string, step: () => Promise<void>): Promise<void> => {
    try {
      await step();
      told.delete(what);
    } catch (error) {
      if (life.signal.aborted) return;
      const { message } = toRfoError(error);
      if (told.get(what) !== message) log.warn(`cannot ${what} yet`, { because: message });
      told.set(what, message);
    }
  };
  const look = async (): Promise<void> => {
    const { signal } = life;
    // While our own etcd does not answer or learns still there is nothing to look after; its component says what is wrong.
    const status = await etcd.status({ signal }).catch(() => undefined);
    if (status === undefined || status.isLearner || status.leader === '0') return;
    const members = await etcd.members({ signal });
    const self = members.find(({ id }) => id === status.memberId);
    if (self === undefined) return;
    const now: Look = { options, pace, members, self, tell, said, signal, leads: status.leader === self.id };
    await attempt('note the members of etcd', () => noteMembers(now));
    await attempt('keep the address in etcd', () => keepAddress(now));
    await attempt('show the member of etcd on its Node', () => showMember(now));
    await attempt('take the timers of several members', async () => {
      if (outgrown === undefined || !(await hasOutgrown(now))) return;
      await handOver(now);
      await outgrown();
      outgrown = undefined;
    });
    if (!now.leads) return sights.clear();
    await attempt('care for learners', () => careForLearners(now, sights));
    await attempt('remove members', () => removeWishedMembers(now));
  };
  const loop = async (): Promise<void> => {
    while (!life.signal.aborted) {
      wake = new AbortController();
      await attempt('look after the members of etcd', look);
      const wished = nodes.store.list().some((node) => wishOf(node) !== undefined);
      await sleep(wished ? pace.waiting : pace.every, AbortSignal.any([life.signal, wake.signal])).catch(() => undefined);
    }
  };
  const looping = loop();
  life.defer(() => looping);
}

async function noteMembers({ options: { paths }, members }: Look): Promise<void> {
  await writeKnownMembers(paths, members);
  // Normally the join itself ends it; without `server` nobody else does.
  if ((await readJoinMark(paths)) !== undefined) await removeJoinMark(paths);
}

/** etcd keeps the address that a member joined with. The others reach it again by the new one. */
async function keepAddress({ options, self, tell, signal }: Look): Promise<void> {
  const { nodeIp, etcd, peerUrl = peerUrlOf(nodeIp) } = options;
  if (self.peerUrls.length === 1 && self.peerUrls[0] === peerUrl) return;
  await etcd.memberUpdate(self.id, [peerUrl], { signal });
  const message = `the address of the etcd member ${self.name} changed from ${self.peerUrls.join(', ')} to ${peerUrl}`;
  tell({ type: 'Normal', reason: 'EtcdAddressChanged', message });
}

async function showMember({ options, self, signal }: Look): Promise<void> {
  const { client, nodes, nodeName, nodeIp, clock } = options;
  const node = nodes.store.get(nodeName);
  if (node === undefined || node.metadata.deletionTimestamp !== undefined) return;
  const ref = { ...nodeKind, name: nodeName };
  const patch = renderNodePatch(node, { name: self.name, address: nodeIp });
  if (patch !== undefined) await client.patch(ref, patch, { type: 'strategic', signal });
  const message = `the etcd member ${self.name} votes`;
  const condition = renderCondition(node, { reason: 'VotingMember', message, now: new Date(clock.now()) });
  if (condition !== undefined) {
    await client.patch(ref, { status: { conditions: [condition] } }, { type: 'strategic', subresource: 'status', signal });
  }
}

/** One of three that all live can be restarted without a pause of the cluster. */
async function hasOutgrown({ options: { probe }, members, signal }: Look): Promise<boolean> {
  const voters = members.filter(({ isLearner }) => !isLearner);
  return voters.length >= 3 && (await livingOf(voters, { probe, signal })).size === voters.length;
}

/** A leader that is stopped costs the cluster an election. */
async function handOver({ options: { etcd }, pace, members, self, leads, signal }: Look): Promise<void> {
  const heir = members.find(({ id, isLearner }) => id !== self.id && !isLearner);
  if (leads && heir !== undefined) await etcd.moveLeader(heir.id, { signal: AbortSignal.any([signal, AbortSignal.timeout(pace.move)]) });
}
