/** Decides what is to become of members: no input or output here. */
import type { EtcdMember } from '@rfo/etcd';

export type RemovalVerdict =
  | { readonly kind: 'remove' }
  | { readonly kind: 'move-leader'; readonly target: string }
  /** It never can be. */
  | { readonly kind: 'refuse'; readonly because: string }
  /** It can be later. */
  | { readonly kind: 'wait'; readonly because: string };

/**
 * Whether a member may go: never the last that votes, and never so that fewer than a majority of the rest lives. A leader hands over first.
 * @param living ids of the members that answer
 */
export function judgeRemoval(input: {
  readonly members: readonly EtcdMember[];
  readonly living: ReadonlySet<string>;
  readonly target: EtcdMember;
  readonly leader: string;
}): RemovalVerdict {
  const { members, living, target, leader } = input;
  if (target.isLearner) return { kind: 'remove' };
  const rest = members.filter(({ id, isLearner }) => !isLearner && id !== target.id);
  if (rest.length === 0) return { kind: 'refuse', because: `${target.name} is the last member of etcd that votes` };
  const alive = rest.filter(({ id }) => living.has(id));
  const majority = Math.floor(rest.length / 2) + 1;
  if (alive.length < majority) {
    const dead = rest.filter((member) => !alive.includes(member)).map(({ name }) => name);
    const because = `of the ${rest.length} members that would remain ${majority} must live, and ${dead.join(', ')} ${dead.length === 1 ? 'does' : 'do'} not answer`;
    return { kind: 'wait', because };
  }
  const [successor] = alive;
  return target.id === leader && successor ? { kind: 'move-leader', target: successor.id } : { kind: 'remove' };
}

/** What was seen of a learner, in milliseconds of a clock that never jumps. */
export type LearnerSight = { readonly firstSeen: number; readonly lastAnswer: number | undefined };

/**
 * What to do with a learner: promote one that lives (etcd refuses until it has caught up), evict one that did not answer for `patience`.
 * One that is dead is never promoted, although etcd would: the majority that its vote asks for may not be there.
 */
export function judgeLearner(sight: LearnerSight, { now, patience }: { readonly now: number; readonly patience: number }) {
  if (sight.lastAnswer === now) return 'promote';
  return now - (sight.lastAnswer ?? sight.firstSeen) >= patience ? 'evict' : 'wait';
}
