import { type EtcdMember, etcdRefusal } from '@rfo/etcd';
import type { Look } from './care-for-members.ts';
import { judgeLearner, type LearnerSight } from './judge-members.ts';

/** What the leader saw of each learner, by its id. */
export type Sights = Map<string, LearnerSight>;

/**
 * Promotes learners that have caught up and live: a joining server asks for that itself, unless it ended meanwhile. Evicts those that never
 * answered, or not for five minutes: a learner that is left behind keeps every other server from joining.
 */
export async function careForLearners(look: Look, sights: Sights): Promise<void> {
  const learners = look.members.filter(({ isLearner }) => isLearner);
  for (const id of sights.keys()) if (!learners.some((learner) => learner.id === id)) sights.delete(id);
  for (const learner of learners) await care(look, learner, sights);
}

async function care(look: Look, learner: EtcdMember, sights: Sights): Promise<void> {
  const { options, pace, signal } = look;
  const answers = await options.probe(learner, signal);
  const now = performance.now();
  const before = sights.get(learner.id);
  const sight = { firstSeen: before?.firstSeen ?? now, lastAnswer: answers ? now : before?.lastAnswer };
  sights.set(learner.id, sight);
  const verdict = judgeLearner(sight, { now, patience: pace.patience });
  if (verdict === 'promote') await promote(look, learner);
  if (verdict === 'evict') await evict(look, learner);
}

async function promote({ options: { etcd, log }, tell, signal }: Look, { id, name }: EtcdMember): Promise<void> {
  try {
    await etcd.memberPromote(id, { signal });
  } catch (error) {
    const refusal = etcdRefusal(error);
    if (refusal === undefined) throw error;
    log.debug('the learner has no vote yet', { name, because: refusal });
    return;
  }
  tell({ type: 'Normal', reason: 'EtcdLearnerPromoted', message: `the etcd member ${name} has caught up and votes` });
}

async function evict({ options: { etcd }, pace, tell, signal }: Look, { id, name, peerUrls }: EtcdMember): Promise<void> {
  await etcd.memberRemove(id, { signal });
  const who = name === '' ? `at ${peerUrls.join(', ')}, which never started,` : `${name}`;
  const message = `the etcd learner ${who} did not answer for ${Math.round(pace.patience / 1000)} s and was taken out`;
  tell({ type: 'Warning', reason: 'EtcdLearnerEvicted', message });
}
