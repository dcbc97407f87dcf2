/** How a server gives up its place in etcd: the others must be able to go on, and its data is kept aside. */
import { type EtcdClient, etcdRefusal } from '@rfo/etcd';
import { type Clock, fail, type Log, RfoError, sleep, toRfoError } from '@rfo/foundation';
import { endLeft } from '../component/end-left.ts';
import type { Alone } from '../component/run-alone.ts';
import type { Paths } from '../paths.ts';
import type { EtcdPeer } from '../supervisor/api.ts';
import type { MembersClient } from './join-member.ts';
import { judgeRemoval } from './judge-members.ts';
import {
  hasEtcdData,
  type Membership,
  peerUrlOf,
  presentMembership,
  readJoinMark,
  readKnownMembers,
  readOwnRecord,
  removeEtcdData,
  writeKnownMembers,
} from './membership.ts';
import { livingOf, type ProbePeer } from './probe-peer.ts';
import { type AskServer, lookForSelf, moveDataAside } from './returning-member.ts';

export type LeaveOptions = {
  readonly paths: Paths;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** A client of the servers that `server` names. */
  readonly join: Pick<MembersClient, 'removeUnstartedMember'>;
  readonly ask: AskServer;
  /** Starts this server's etcd, or adopts it: where two vote, one cannot be removed without both. */
  readonly run: (membership: () => Promise<Membership>) => Alone;
  /** Of this server's own etcd. */
  readonly etcd: Pick<EtcdClient, 'status' | 'members' | 'moveLeader' | 'memberRemove'>;
  readonly probe: ProbePeer;
  /** Ends the waiting for the others, which has no other end. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock: Clock;
  /** `https://<node-ip>:2380`, but for tests on one host. */
  readonly peerUrl?: string;
  /** Milliseconds between two attempts. */
  readonly every?: number;
};

/**
 * Removes this server's member, if it has one, before anything is started: never the last that votes, never against the majority, and after the
 * leadership was handed over. The data is moved to `etcd-backup-<seconds>`. Does nothing where there is no data.
 * @throws etcd-last-member: nothing was changed then; the signal's reason
 */
export async function leaveCluster(options: LeaveOptions): Promise<void> {
  const { paths, nodeName, log, clock } = options;
  const [data, mark, own, known] = await Promise.all([
    hasEtcdData(paths),
    readJoinMark(paths),
    readOwnRecord(paths),
    readKnownMembers(paths),
  ]);
  if (!data && mark === undefined) return;
  const name = mark?.name ?? own?.name ?? nodeName;
  const others = known.filter((member) => member.name !== name);
  if (mark !== undefined && (await isTakenBack(options, mark.peerUrl))) {
    log.info('a join to etcd that was under way was taken back', { member: name });
    await endLeft(paths.processRecords, ['etcd'], log);
    await removeEtcdData(paths);
  } else {
    await removeSelf(options, { name, known });
    await endLeft(paths.processRecords, ['etcd'], log);
    await moveDataAside(paths, { now: clock.now(), log });
  }
  // By these etcd is reached from now on.
  await writeKnownMembers(paths, others);
}

/** One that votes already is not, and goes like the others. */
async function isTakenBack({ join }: LeaveOptions, peerUrl: string): Promise<boolean> {
  try {
    await join.removeUnstartedMember(peerUrl);
    return true;
  } catch (error) {
    if (error instanceof RfoError && error.code === 'join-refused' && error.message.includes('etcd-member-votes')) return false;
    throw error;
  }
}

async function removeSelf(options: LeaveOptions, member: { readonly name: string; readonly known: readonly EtcdPeer[] }): Promise<void> {
  const { paths, nodeName, ask, run, signal, log, peerUrl = peerUrlOf(options.nodeIp) } = options;
  const isOut = async (): Promise<boolean> => (await lookForSelf({ ...member, ask, signal })) === 'out';
  if (await isOut()) return;
  const { name } = member;
  log.info('this server gives up its place in etcd, which has to run once more for that', { member: name });
  let starts = 0;
  const etcd = run(async () => {
    starts += 1;
    if (starts > 1 && (await isOut())) throw fail('etcd-member-removed', { name });
    return await presentMembership({ paths, nodeName, peerUrl });
  });
  let removed = false;
  try {
    await etcd.ready(signal);
    await removeOnceAllowed(options, isOut);
    removed = true;
    log.info('this server has left etcd', { member: name });
  } catch (error) {
    // Removed by somebody else, or in an earlier attempt whose end was not reached.
    if (!(error instanceof RfoError) || error.code !== 'etcd-member-removed') throw error;
    removed = true;
  } finally {
    // What was running goes on where the start is refused.
    await (!removed && etcd.adopted() ? etcd.release() : etcd.stop());
  }
}

async function removeOnceAllowed(options: LeaveOptions, isOut: () => Promise<boolean>): Promise<void> {
  const { signal, log, every = 1_000 } = options;
  let said = '';
  for (;;) {
    const because = await tryRemoval(options).catch((error: unknown) => {
      signal.throwIfAborted();
      const known = toRfoError(error);
      if (!known.retryable && etcdRefusal(error) === undefined) throw known;
      return known.message;
    });
    // A member that is removed ends, sometimes before it has answered.
    if (because === undefined || (because !== '' && (await isOut()))) return;
    if (because !== said && because !== '') log.warn('etcd cannot be left yet; it is tried again', { because });
    said = because;
    await sleep(every, signal);
  }
}

/** @returns why not yet; undefined when it is done */
async function tryRemoval({ etcd, probe, signal }: LeaveOptions): Promise<string | undefined> {
  const status = await etcd.status({ signal });
  const members = await etcd.members({ linearizable: true, signal });
  const target = members.find(({ id }) => id === status.memberId);
  if (target === undefined) return undefined;
  const living = await livingOf(members, { probe, signal });
  const verdict = judgeRemoval({ members, living, target, leader: status.leader });
  switch (verdict.kind) {
    case 'refuse':
      throw fail('etcd-last-member', { name: target.name });
    case 'wait':
      return verdict.because;
    case 'move-leader':
      await etcd.moveLeader(verdict.target, { signal });
      return '';
    case 'remove':
      await etcd.memberRemove(target.id, { signal });
      return undefined;
  }
}
