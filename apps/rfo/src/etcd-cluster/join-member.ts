import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EtcdClient } from '@rfo/etcd';
import { fail, type Log, orAbort, sleep, systemCode, toRfoError } from '@rfo/foundation';
import type { Paths } from '../paths.ts';
import type { AddMember, EtcdPeer } from '../supervisor/api.ts';
import {
  type JoinMark,
  removeEtcdData,
  removeJoinMark,
  renderInitialCluster,
  writeJoinMark,
  writeKnownMembers,
  writeOwnRecord,
} from './membership.ts';

/** What a joining server asks of the cluster, through any of its servers; each call ends by itself in a bounded time. */
export type MembersClient = {
  readonly members: () => Promise<readonly EtcdPeer[]>;
  readonly addMember: (wish: AddMember) => Promise<readonly EtcdPeer[]>;
  /** Takes a learner back; nothing happens where there is none. */
  readonly removeUnstartedMember: (nameOrPeerUrl: string) => Promise<void>;
  readonly promote: (name: string) => Promise<{ readonly votes: true } | { readonly votes: false; readonly problem: string }>;
};

export type Joiner = {
  readonly paths: Paths;
  readonly nodeName: string;
  readonly join: MembersClient;
  readonly log: Log;
  readonly pace?: JoinPace | undefined;
};

export type JoinPace = {
  /** Milliseconds for an answer of our own etcd: it accepts connections long before it serves them. */
  readonly answer: number;
  /** Milliseconds between two questions whether we vote, and between two looks at how far we are. */
  readonly ask: number;
  readonly look: number;
  /** Without progress for so long, the join has failed. */
  readonly stalled: number;
};
const usualPace: JoinPace = { answer: 500, ask: 200, look: 5_000, stalled: 5 * 60_000 };

/**
 * Makes this server a learner of the cluster: from now on etcd can be started with the record that is written. The mark is written before
 * the cluster is asked, so that a kill in between leaves something to clean up by. When it fails nothing stays.
 * @throws what `addMember` throws; what may pass is tried again for five minutes
 */
export async function joinCluster(joiner: Joiner, mark: JoinMark, signal: AbortSignal): Promise<void> {
  const { paths, log } = joiner;
  await writeJoinMark(paths, mark);
  try {
    const members = await becomeLearner(joiner, mark, signal);
    await recordMembers(paths, members, mark);
    log.info('joins etcd', { member: mark.name, members: members.length });
  } catch (error) {
    // The answer may be lost where the deed was done.
    await takeBack(joiner, mark);
    await removeEtcdData(paths);
    throw error;
  }
}

/** Before each start of etcd until it has data: others may have joined or left meanwhile, and etcd asks for the exact list. */
export async function refreshJoin(joiner: Joiner, mark: JoinMark, signal: AbortSignal): Promise<void> {
  const members = await orAbort(joiner.join.members(), signal);
  await (isWaiting(members, mark) ? recordMembers(joiner.paths, members, mark) : joinCluster(joiner, mark, signal));
}

/**
 * Asks for the vote while our etcd answers, until it votes; then the join is over and the mark goes. When the cluster knows us no more, or
 * nothing moves for five minutes, the learner is taken back.
 * @throws etcd-join-failed; what is left in etcd's folder is to be removed when etcd has ended
 */
export async function untilVoting(
  joiner: Joiner,
  input: {
    readonly mark: JoinMark;
    readonly etcd: EtcdClient;
    readonly signal: AbortSignal;
    readonly note: (problem: string) => void;
    /** Starts our etcd anew, see `hasSnapshot`. */
    readonly restartEtcd: () => void;
  },
): Promise<void> {
  const { mark, etcd, signal, note, restartEtcd } = input;
  const { paths, join: cluster, log, pace = usualPace } = joiner;
  const progress = watchProgress(paths, etcd, pace);
  let silent = 0;
  for (;;) {
    try {
      const { isLearner } = await etcd.status({ signal: AbortSignal.any([signal, AbortSignal.timeout(pace.answer)]) });
      const promotion = isLearner ? await orAbort(cluster.promote(mark.name), signal) : ({ votes: true } as const);
      if (promotion.votes) break;
      note(`etcd has no vote yet: ${promotion.problem}`);
    } catch (error) {
      signal.throwIfAborted();
      note(`etcd has no vote yet: ${toRfoError(error).message}`);
      if (await isForgotten(cluster, mark, signal)) throw fail('etcd-join-failed', { problem: 'the cluster took the learner out' }, error);
      if (await hasSnapshot(joiner)) silent++;
      if (silent === patience) restartEtcd();
    }
    if (await progress.stalled(signal)) {
      await takeBack(joiner, mark);
      throw fail('etcd-join-failed', { problem: `nothing moved for ${Math.round(pace.stalled / 1000)} s` });
    }
    await sleep(pace.ask, signal);
  }
  await removeJoinMark(paths);
  log.info('votes in etcd', { member: mark.name });
}

/** Asks until it is done. A question whose answer was lost is not repeated before a look at what became of it. */
async function becomeLearner({ join: cluster, nodeName, log, pace = usualPace }: Joiner, mark: JoinMark, signal: AbortSignal) {
  const since = performance.now();
  let told = '';
  for (;;) {
    try {
      return await orAbort(cluster.addMember({ nodeName, name: mark.name, peerUrls: [mark.peerUrl] }), signal);
    } catch (error) {
      signal.throwIfAborted();
      const { message, retryable } = toRfoError(error);
      if (!retryable || performance.now() - since > pace.stalled) throw error;
      if (message !== told) log.info('cannot join etcd yet', { because: message });
      told = message;
    }
    await sleep(pace.ask, signal);
    const members = await orAbort(cluster.members(), signal).catch(() => []);
    signal.throwIfAborted();
    if (isWaiting(members, mark)) return members;
  }
}

/** Where nobody can be asked, the leader evicts a learner that does not answer. */
async function takeBack({ join: cluster, log }: Joiner, { peerUrl }: JoinMark): Promise<void> {
  await cluster.removeUnstartedMember(peerUrl).catch((error: unknown) => log.debug('nothing was taken back from etcd', { error }));
}

/** How many times a learner is found silent with its first data in place before its etcd is started anew, once. */
const patience = 2;

/**
 * A learner tells the cluster its name when it starts, and serves nobody before it has seen that done. Where its first data come as a snapshot, as
 * they do in every cluster that has run for a moment, it never sees it: it closes its connections to take the snapshot in, and the message is lost with them, or it
 * was in time and its outcome is within the snapshot, where etcd does not look for it. It is sent again after seven seconds (`publishV3` and
 * `applySnapshot` of go.etcd.io/etcd/server/v3 etcdserver/server.go, measured with 3.6.16). Started anew, with the data in place, it is through at once.
 */
async function hasSnapshot({ paths }: Joiner): Promise<boolean> {
  const files = await readdir(join(paths.server.etcd, 'member', 'snap')).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  return files.some((file) => file.endsWith('.snap'));
}

/** Whether our learner is there and has never started. */
function isWaiting(members: readonly EtcdPeer[], { peerUrl }: JoinMark): boolean {
  return members.some(({ name, peerUrls }) => name === '' && peerUrls.includes(peerUrl));
}

/** Only an answer counts: a cluster that cannot be asked has not forgotten us. */
async function isForgotten(cluster: MembersClient, { name, peerUrl }: JoinMark, signal: AbortSignal): Promise<boolean> {
  try {
    const members = await orAbort(cluster.members(), signal);
    return !members.some((member) => member.name === name || member.peerUrls.includes(peerUrl));
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function recordMembers(paths: Paths, members: readonly EtcdPeer[], mark: JoinMark): Promise<void> {
  await writeOwnRecord(paths, { name: mark.name, initialCluster: renderInitialCluster(members, mark) });
  await writeKnownMembers(paths, members);
}

/** A learner gets on as long as it applies changes, or as the snapshot that it is sent grows on its disk. */
function watchProgress(paths: Paths, etcd: EtcdClient, pace: JoinPace): { stalled: (signal: AbortSignal) => Promise<boolean> } {
  let seen = '';
  let looked = performance.now();
  let moved = looked;
  return {
    stalled: async (signal) => {
      if (performance.now() - looked < pace.look && performance.now() - moved < pace.stalled) return false;
      looked = performance.now();
      const applied = await etcd.status({ signal }).then(
        ({ raftAppliedIndex }) => raftAppliedIndex,
        () => 'none',
      );
      const state = `${applied} ${await folderSize(join(paths.server.etcd, 'member', 'snap'))}`;
      if (state !== seen) {
        seen = state;
        moved = performance.now();
      }
      return performance.now() - moved >= pace.stalled;
    },
  };
}

async function folderSize(folder: string): Promise<number> {
  try {
    const sizes = await Promise.all((await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch (error) {
    // etcd renames and removes its temporary files while we look.
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
