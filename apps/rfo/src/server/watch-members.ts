/** Tells a load balancer in front of etcd how its members are: a host that is gone says nothing itself, and its connections stand on. */
import { type Life, type Log, sleep, toRfoError } from '@rfo/foundation';
import type { LoadBalancer } from '@rfo/proxy';
import type { ProbePeer } from '../etcd-cluster/probe-peer.ts';

/** A member, and the address that the balancer knows it by. */
export type WatchedMember = { readonly address: string; readonly peerUrls: readonly string[] };

/** Milliseconds between two questions to the member in use, and how many of them pass until the others are asked too. */
const usualPace = { every: 1_000, others: 10 };

/**
 * Asks members whether they are there, until the life ends: one that does not answer is suspect, one that does not answer twice has failed. When
 * the one in use misses, the others are asked at once, so that it is known who can take over. Resolves when the first has answered.
 */
export async function watchMembers(given: {
  readonly members: () => readonly WatchedMember[];
  readonly balancer: Pick<LoadBalancer, 'active' | 'report'>;
  readonly probe: ProbePeer;
  readonly note: (problem: string) => void;
  readonly life: Life;
  readonly log: Log;
  readonly pace?: typeof usualPace;
}): Promise<void> {
  const { members, balancer, probe, note, life, log, pace = usualPace } = given;
  const { signal } = life;
  const missed = new Map<string, number>();
  const first = Promise.withResolvers<void>();

  const ask = async ({ address, peerUrls }: WatchedMember): Promise<boolean> => {
    const answers = await probe({ peerUrls }, signal);
    const misses = answers ? 0 : (missed.get(address) ?? 0) + 1;
    missed.set(address, misses);
    balancer.report(address, misses === 0 ? 'healthy' : misses === 1 ? 'suspect' : 'failed');
    if (answers) first.resolve();
    return answers;
  };
  const round = async (all: boolean): Promise<void> => {
    const known = members();
    for (const address of missed.keys()) if (!known.some((member) => member.address === address)) missed.delete(address);
    const active = balancer.active();
    const chosen = all ? known : known.filter(({ address }) => address === active || (missed.get(address) ?? 0) > 0);
    const answers = await Promise.all(chosen.map(ask));
    if (answers.includes(true)) return;
    note(known.length === 0 ? 'no member of etcd is known' : `etcd does not answer on ${known.map(({ address }) => address).join(', ')}`);
    // It missed once: who else is there, and is it still silent?
    if (!all) await Promise.all(known.map(ask));
  };
  let told = '';
  const tell = (error: unknown): void => {
    const { message } = toRfoError(error);
    if (!signal.aborted && message !== told) log.warn('cannot ask how the members of etcd are', { because: message });
    told = message;
  };
  const loop = async (): Promise<void> => {
    for (let turn = 0; !signal.aborted; turn = (turn + 1) % pace.others) {
      await round(turn === 0).catch(tell);
      await sleep(pace.every, signal).catch(() => undefined);
    }
    first.reject(signal.reason);
  };
  const looping = loop();
  life.defer(() => looping);
  await first.promise;
}
