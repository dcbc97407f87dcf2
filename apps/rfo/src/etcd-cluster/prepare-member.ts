import { dirname } from 'node:path';
import type { EtcdClient } from '@rfo/etcd';
import { type Clock, fail, type Life, type Log, orAbort } from '@rfo/foundation';
import type { TaskComponent } from '../component/component.ts';
import { endLeft } from '../component/end-left.ts';
import type { Paths } from '../paths.ts';
import { type Joiner, type JoinPace, joinCluster, type MembersClient, refreshJoin, untilVoting } from './join-member.ts';
import {
  hasEtcdData,
  type JoinMark,
  type Membership,
  newMemberName,
  peerUrlOf,
  presentMembership,
  readJoinMark,
  readKnownMembers,
  readOwnRecord,
  removeEtcdData,
} from './membership.ts';
import { type AskServer, lookForSelf, moveDataAside } from './returning-member.ts';

export type PrepareOptions = {
  readonly paths: Paths;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** A client of the servers that `server` names; undefined without that setting. */
  readonly join: MembersClient | undefined;
  readonly ask: AskServer;
  /** What a failed join leaves is removed at its end: components must be started on it later than this. */
  readonly life: Life;
  /** Ends the preparation alone, which may have to wait for other servers that join. */
  readonly cancelled?: AbortSignal;
  readonly log: Log;
  readonly clock: Clock;
  /** `https://<node-ip>:2380`, but for tests on one host. */
  readonly peerUrl?: string;
  readonly pace?: JoinPace | undefined;
};

export type PreparedMember = {
  /** What etcd is to be started with; called before each of its starts. Throws etcd-member-removed when it was removed meanwhile. */
  readonly membership: () => Promise<Membership>;
  /** Rejects with etcd-member-removed when this server is removed while it runs: nothing of it can go on. */
  readonly removed: Promise<never>;
  /** Asks for the vote beside etcd, which is not ready before; undefined where nothing joins. */
  readonly joinTask: (etcd: EtcdClient, restartEtcd: () => void) => TaskComponent | undefined;
};

/**
 * Decides what this server is in etcd, before etcd is started: the first member of a new cluster, a member that goes on, one that joins, or
 * one that was removed and joins anew. A cluster is begun only where nothing says that there is one.
 * @throws etcd-data-missing, etcd-member-removed, and what `joinCluster` throws
 */
export async function prepareMember(options: PrepareOptions): Promise<PreparedMember> {
  const { paths, nodeName, life, peerUrl = peerUrlOf(options.nodeIp) } = options;
  const mark = await decide({ ...options, peerUrl });
  const joiner: Joiner | undefined = options.join && { ...options, join: options.join };
  const removed = Promise.withResolvers<never>();
  removed.promise.catch(() => undefined);
  let starts = 0;
  return {
    removed: removed.promise,
    membership: async () => {
      starts += 1;
      const data = await hasEtcdData(paths);
      if (mark !== undefined && joiner !== undefined && !data) await refreshJoin(joiner, mark, life.signal);
      else if (starts > 1 && (await readJoinMark(paths)) === undefined) {
        await refuseRemoved(options).catch((error: unknown) => {
          removed.reject(error);
          throw error;
        });
      }
      return await presentMembership({ paths, nodeName, peerUrl });
    },
    joinTask: (etcd, restartEtcd) => mark && joiner && joinTask({ joiner, mark, etcd, restartEtcd, options }),
  };
}

/** Gives the join that is to be finished, if there is one. */
async function decide(options: PrepareOptions & { readonly peerUrl: string }): Promise<JoinMark | undefined> {
  const { paths, nodeName, join, life, log, peerUrl, cancelled } = options;
  const signal = cancelled === undefined ? life.signal : AbortSignal.any([life.signal, cancelled]);
  const [data, found, own, known] = await Promise.all([
    hasEtcdData(paths),
    readJoinMark(paths),
    readOwnRecord(paths),
    readKnownMembers(paths),
  ]);
  const name = found?.name ?? own?.name ?? nodeName;

  if (join !== undefined && found !== undefined && found.peerUrl !== peerUrl) await takeBackMoved(join, found, { signal, log });
  if (data && found === undefined) {
    if ((await lookForSelf({ ...options, name, known, signal })) !== 'out') return undefined;
    if (join === undefined) throw fail('etcd-member-removed', { name });
    // It must not write where its data is taken away.
    await endLeft(paths.processRecords, ['etcd'], log);
    await moveDataAside(paths, { now: options.clock.now(), log });
  }
  if (data && found !== undefined) {
    if (join === undefined || !(await isTakenOut(join, found, signal))) return found;
    log.info('a join that was broken off begins anew', { member: name });
    await endLeft(paths.processRecords, ['etcd'], log);
    await removeEtcdData(paths);
  }
  if (join !== undefined) {
    const mark = { name: newMemberName(nodeName), peerUrl };
    await joinCluster({ ...options, join }, mark, signal);
    return mark;
  }
  if (found !== undefined || own !== undefined || known.some((member) => member.name !== name)) {
    throw fail('etcd-data-missing', { name, folder: dirname(paths.server.etcd) });
  }
  return undefined;
}

/** A learner at an address that is ours no longer cannot be sent its data, and no other is added beside it. One that votes stays. */
async function takeBackMoved(
  join: MembersClient,
  { peerUrl }: JoinMark,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<void> {
  try {
    await orAbort(join.removeUnstartedMember(peerUrl), signal);
  } catch (error) {
    signal.throwIfAborted();
    log.debug('the learner at the old address is not taken back', { error });
  }
}

/** Whether the cluster says that it does not know our learner; one that does not answer says nothing. */
async function isTakenOut(join: MembersClient, { name, peerUrl }: JoinMark, signal: AbortSignal): Promise<boolean> {
  try {
    const members = await orAbort(join.members(), signal);
    return !members.some((member) => member.name === name || member.peerUrls.includes(peerUrl));
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** etcd ends when its member is removed; started again it would end again, for ever. */
async function refuseRemoved(options: PrepareOptions): Promise<void> {
  const { paths, nodeName, ask, life } = options;
  const [own, known] = await Promise.all([readOwnRecord(paths), readKnownMembers(paths)]);
  const name = own?.name ?? nodeName;
  if ((await lookForSelf({ name, known, ask, signal: life.signal })) === 'out') throw fail('etcd-member-removed', { name });
}

function joinTask(input: {
  readonly joiner: Joiner;
  readonly mark: JoinMark;
  readonly etcd: EtcdClient;
  readonly restartEtcd: () => void;
  readonly options: PrepareOptions;
}): TaskComponent {
  const { joiner, mark, etcd, restartEtcd, options } = input;
  let failed = false;
  // Deferred before the components are started, so it runs when etcd has ended.
  options.life.defer(async () => {
    if (failed) await removeEtcdData(options.paths);
  });
  return {
    kind: 'task',
    name: 'etcd-join',
    needs: [],
    run: async ({ life, note }) => {
      try {
        await untilVoting(joiner, { mark, etcd, note, restartEtcd, signal: life.signal });
      } catch (error) {
        failed = !life.signal.aborted;
        throw error;
      }
    },
  };
}
