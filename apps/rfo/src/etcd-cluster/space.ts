import { type EtcdClient, type EtcdStatus, etcdRefusal } from '@rfo/etcd';
import { type Life, type Log, sleep, toRfoError } from '@rfo/foundation';
import { livingOf, type ProbePeer } from './probe-peer.ts';
import { isFullOfData, isWorthDefragmenting, missingOnList, type SpaceThresholds, usualThresholds, whoseTurn } from './space-plan.ts';
import type { Tell } from './tell-node.ts';

export type SpaceOptions = {
  /** Of this server's own etcd. */
  readonly etcd: EtcdClient;
  readonly probe: ProbePeer;
  readonly tell: Tell;
  /** Does the work while no other server does such work. */
  readonly oneAtATime: (work: () => Promise<void>, life: Life) => Promise<void>;
  readonly life: Life;
  readonly log: Log;
  readonly pace?: Partial<SpacePace>;
  readonly thresholds?: Partial<SpaceThresholds>;
};
/** Milliseconds. */
export type SpacePace = {
  /** Between two looks, and while space has run out. */
  readonly every: number;
  readonly full: number;
  /** At most so often etcd is defragmented without need. */
  readonly defragment: number;
  /** Between two attempts when the data itself fills the quota. */
  readonly again: number;
  /** A member that has its turn and does nothing for so long is passed over. */
  readonly turn: number;
};
const usualPace: SpacePace = { every: 10_000, full: 1_000, again: 30_000, defragment: 3_600_000, turn: 10 * 60_000 };

/** `busy`: our etcd is being defragmented and answers nobody: its health check has to wait. */
export type SpaceCare = { readonly busy: () => boolean };

/**
 * Gives etcd its space back while it runs. When the quota is used up, each member in turn, the leader last, forgets the history,
 * defragments itself and withdraws its alarm; with the last one etcd takes writes again. And when much of the file is unused it is
 * defragmented, at most once an hour and on one member at a time.
 */
export function careForSpace(options: SpaceOptions): SpaceCare {
  const { etcd, life, log } = options;
  const pace = { ...usualPace, ...options.pace };
  const thresholds = { ...usualThresholds, ...options.thresholds };
  let busy = false;
  const defragment = async (): Promise<void> => {
    busy = true;
    try {
      // Not broken off with the life: etcd would go on with it all the same.
      await etcd.defragment();
    } finally {
      busy = false;
    }
  };
  const work: Work = { ...options, pace, thresholds, defragment, defragmentedAt: -Number.POSITIVE_INFINITY, episode: undefined };

  const loop = async (): Promise<void> => {
    let told = '';
    while (!life.signal.aborted) {
      let wait = pace.every;
      try {
        const status = await etcd.status({ signal: life.signal });
        const full = !status.isLearner && status.errors.some((error) => error.includes('NOSPACE'));
        if (full) wait = pace.full;
        else work.episode = undefined;
        await (full ? makeRoom(work, status) : tidyUp(work, status));
        told = '';
      } catch (error) {
        const { message } = toRfoError(error);
        if (!life.signal.aborted && message !== told) log.debug('cannot look after the space of etcd', { because: message });
        told = message;
      }
      await sleep(wait, life.signal).catch(() => undefined);
    }
  };
  const looping = loop();
  life.defer(() => looping);
  return { busy: () => busy };
}

type Work = Omit<SpaceOptions, 'pace' | 'thresholds'> & {
  readonly pace: SpacePace;
  readonly thresholds: SpaceThresholds;
  readonly defragment: () => Promise<void>;
  defragmentedAt: number;
  /** From the alarm until the last one is withdrawn. */
  episode: Episode | undefined;
};
type Episode = {
  turn: string | undefined;
  turnSince: number;
  /** That this member made room and found that the data itself fills it. */
  tried: { readonly revision: string; readonly at: number } | undefined;
};

async function makeRoom(work: Work, status: EtcdStatus): Promise<void> {
  const { etcd, life, tell } = work;
  const { signal } = life;
  const leads = status.leader === status.memberId;
  let alarms = await etcd.alarms({ signal });
  if (work.episode === undefined) {
    work.episode = { turn: undefined, turnSince: performance.now(), tried: undefined };
    if (leads) {
      const megabytes = Math.round(Number(status.dbSizeQuota) / 1e6);
      tell({
        type: 'Warning',
        reason: 'EtcdSpaceExhausted',
        message: `etcd has used up its ${megabytes} MB and takes no writes: making room`,
      });
      const members = await etcd.members({ signal });
      const living = await livingOf(members, { probe: work.probe, signal });
      for (const memberId of missingOnList(alarms, members, living)) await etcd.arm({ memberId, alarm: 'NOSPACE' }, { signal });
      alarms = await etcd.alarms({ signal });
    }
  }
  const { episode } = work;
  const turn = whoseTurn(alarms, status.leader);
  if (turn !== episode.turn) Object.assign(episode, { turn, turnSince: performance.now() });
  if (turn === status.memberId) await takeTurn(work, episode);
  else if (turn !== undefined && leads) await passOverIdle(work, { turn, since: episode.turnSince });
}

/**
 * This member's part. How large the data is shows only after it was defragmented. Where the data itself fills the quota, the alarm stays
 * until some is deleted: writes would only raise it again.
 */
async function takeTurn(work: Work, episode: Episode): Promise<void> {
  const { etcd, life, tell, thresholds, pace } = work;
  const { signal } = life;
  const before = await etcd.status({ signal });
  const { tried } = episode;
  if (tried !== undefined && (tried.revision === before.revision || performance.now() - tried.at < pace.again)) return;
  await compactAll(etcd, before, signal);
  await work.defragment();
  work.defragmentedAt = performance.now();
  const after = await etcd.status({ signal });
  if (isFullOfData(after, thresholds)) {
    const message = `the data in etcd fills its quota of ${Math.round(Number(after.dbSizeQuota) / 1e6)} MB: delete objects, or raise quota-backend-bytes with etcd-arg`;
    if (tried === undefined) tell({ type: 'Warning', reason: 'EtcdFull', message });
    episode.tried = { revision: before.revision, at: work.defragmentedAt };
    return;
  }
  await etcd.disarm({ memberId: before.memberId, alarm: 'NOSPACE' }, { signal });
  tell({ type: 'Normal', reason: 'EtcdSpaceReclaimed', message: `etcd's file was made smaller: ${sizes(before, after)}` });
}

/** Forgets all history. The second member to do it hears at once that it is done, and its own removal goes on for a while. */
async function compactAll(etcd: EtcdClient, { revision, dbSizeInUse }: EtcdStatus, signal: AbortSignal): Promise<void> {
  try {
    await etcd.compact(revision, { signal });
  } catch (error) {
    if (!etcdRefusal(error)?.includes('has been compacted')) throw error;
    let last = dbSizeInUse;
    for (let quiet = 0; quiet < 3; ) {
      await sleep(300, signal);
      const now = (await etcd.status({ signal })).dbSizeInUse;
      quiet = now === last ? quiet + 1 : 0;
      last = now;
    }
  }
}

/** Who was removed, died or has no rfo that would act must not keep the cluster from writing. */
async function passOverIdle(work: Work, { turn, since }: { readonly turn: string; readonly since: number }): Promise<void> {
  const { etcd, probe, life, log, pace } = work;
  const { signal } = life;
  const member = (await etcd.members({ signal })).find(({ id }) => id === turn);
  const idle = performance.now() - since > pace.turn;
  if (member !== undefined && !idle && (await probe(member, signal))) return;
  log.warn('a member of etcd that does not make room is passed over', { member: member?.name ?? turn });
  await etcd.disarm({ memberId: turn, alarm: 'NOSPACE' }, { signal });
}

async function tidyUp(work: Work, status: EtcdStatus): Promise<void> {
  const { etcd, life, oneAtATime, pace, thresholds, tell } = work;
  if (performance.now() - work.defragmentedAt < pace.defragment || !isWorthDefragmenting(status, thresholds)) return;
  await oneAtATime(async () => {
    await handOver(work);
    await work.defragment();
    work.defragmentedAt = performance.now();
    const after = await etcd.status({ signal: life.signal });
    tell({ type: 'Normal', reason: 'EtcdDefragmented', message: `etcd's file was made smaller: ${sizes(status, after)}` });
  }, life);
}

/** A leader that is defragmented would stop the whole cluster meanwhile. */
async function handOver({ etcd, probe, life }: Work): Promise<void> {
  const { signal } = life;
  const { leader, memberId } = await etcd.status({ signal });
  if (leader !== memberId) return;
  const others = (await etcd.members({ signal })).filter(({ id, isLearner }) => id !== memberId && !isLearner);
  const [target] = await livingOf(others, { probe, signal });
  if (target !== undefined) await etcd.moveLeader(target, { signal });
}

function sizes(before: EtcdStatus, after: EtcdStatus): string {
  const megabytes = (bytes: string): string => (Number(bytes) / 1e6).toFixed(1);
  return `${megabytes(before.dbSize)} MB before, ${megabytes(after.dbSize)} MB now`;
}
