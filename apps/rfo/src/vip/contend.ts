/** The contest for the virtual IP: this server waits until it may have it, and has it for as long as it can renew the Lease. */
import { type Log, toRfoError } from '@rfo/foundation';
import type { AddressPort } from './address.ts';
import type { Bell } from './bell.ts';
import type { VipLease, Written } from './lease.ts';
import { announcementAt, deadline, lifetimeSeconds, type Timing } from './timing.ts';

export type Contest = {
  readonly lease: VipLease;
  readonly address: AddressPort;
  readonly timing: Timing;
  /** Rings when the Lease, the API server or the interface is not as it was. */
  readonly bell: Bell;
  /** Whether this node's own API server serves. */
  readonly apiReady: () => boolean;
  /** Ends the contest; its reason tells how. */
  readonly signal: AbortSignal;
  /** The next rfo will go on: what we hold stays ours for `timing.away`. */
  readonly released: (reason: unknown) => boolean;
  readonly log: Log;
};

/** Resolves when the signal has aborted and the address is removed, or left for the next rfo. */
export async function contend(contest: Contest): Promise<void> {
  const { lease, bell, timing, signal, log } = contest;
  while (!signal.aborted) {
    try {
      const wait = lease.freeIn();
      if (wait > 0) await bell.wait(wait, signal);
      else if ((await obstacle(contest)) !== undefined) await bell.wait(timing.renewEvery, signal);
      else await attempt(contest);
    } catch (error) {
      // Another server may do better.
      log.error('cannot take the virtual IP', { error: toRfoError(error) });
      await yieldLease(contest);
      await bell.wait(timing.duration, signal);
    }
  }
}

async function attempt(contest: Contest): Promise<void> {
  const written = await contest.lease.hold();
  if (written.outcome === 'held') return serve(contest, written.sent);
  await contest.bell.wait(contest.timing.retryEvery, contest.signal);
}

/** One term as the holder. @param sent when the Lease was asked for (ms, monotonic) */
async function serve(contest: Contest, sent: number): Promise<void> {
  const { lease, bell, timing, signal, log } = contest;
  const held = heldAddress(contest);
  let renewed = sent;
  let renewAt = sent + timing.renewEvery;
  try {
    await held.prolong(renewed);
    await held.announceIfDue();
    log.info('holds the virtual IP');
    while (!signal.aborted) {
      const rang = await bell.wait(Math.min(renewAt, held.announceAt()) - performance.now(), signal);
      if (signal.aborted) break;
      const problem = await obstacle(contest);
      if (problem !== undefined) return await resign(contest, problem);
      if (rang || performance.now() >= renewAt) {
        const written = await lease.hold();
        if (written.outcome === 'held') {
          renewed = written.sent;
          renewAt = renewed + timing.renewEvery;
          await held.prolong(renewed);
        } else if (isOver(written, performance.now() - renewed, timing)) {
          return await lose(contest, written);
        } else renewAt = performance.now() + timing.retryEvery;
      }
      await held.announceIfDue();
    }
  } catch (error) {
    await contest.address.drop().catch((problem: unknown) => log.error('the virtual IP was not removed', { error: problem }));
    throw error;
  }
  await leave(contest);
}

/** What this host cannot hold the address for; undefined when it can. */
async function obstacle({ apiReady, address }: Contest): Promise<string | undefined> {
  return apiReady() ? address.problem() : 'the API server of this node does not serve';
}

/** A server that only cannot write in this moment goes on for as long as nobody else may. */
function isOver({ outcome }: Written, elapsed: number, timing: Timing): boolean {
  return outcome !== 'failed' || elapsed >= deadline(timing);
}

/** The address as this term holds it: how long the kernel will keep it, and how often it was announced. */
function heldAddress({ address, timing }: Contest) {
  let until = Number.NEGATIVE_INFINITY;
  /** Nothing is announced before it is set. */
  let begun = Number.POSITIVE_INFINITY;
  let announced = 0;
  const announceAt = (): number => begun + announcementAt(announced);
  const announceIfDue = async (): Promise<void> => {
    if (performance.now() < announceAt()) return;
    await address.announce();
    announced++;
  };
  return {
    announceAt,
    announceIfDue,
    prolong: async (renewed: number): Promise<void> => {
      const now = performance.now();
      const seconds = lifetimeSeconds(timing, now - renewed);
      // Frozen or starved for so long that the address is no longer ours to set: the next renewal tells.
      if (seconds === 0) return;
      await address.hold(seconds);
      // New, or removed by the kernel meanwhile.
      if (now >= until) [begun, announced] = [now, 0];
      until = now + seconds * 1000;
    },
  };
}

/** Gives up what it could still hold, so that another takes it at once. */
async function resign(contest: Contest, problem: string): Promise<void> {
  await contest.address.drop();
  contest.log.warn('gives up the virtual IP', { because: problem });
  await yieldLease(contest);
}

async function lose({ address, log }: Contest, written: Written): Promise<void> {
  await address.drop();
  const error = written.outcome === 'held' ? undefined : written.error;
  log.warn('holds the virtual IP no more', { because: written.outcome, error });
}

async function leave(contest: Contest): Promise<void> {
  const { lease, address, timing, signal, log } = contest;
  if (contest.released(signal.reason)) {
    const written = await lease.holdWhileAway();
    const elapsed = written.outcome === 'held' ? performance.now() - written.sent : Number.POSITIVE_INFINITY;
    const seconds = lifetimeSeconds({ ...timing, duration: timing.away }, elapsed);
    if (seconds > 0) return address.hold(seconds);
    log.warn('the virtual IP cannot be kept for the next rfo', { because: written.outcome });
  }
  await address.drop();
  await yieldLease(contest);
  log.info('has given up the virtual IP');
}

/** The API server may be what is missing; then the others wait until the Lease is over. */
async function yieldLease({ lease, log }: Contest): Promise<void> {
  await lease.giveUp().catch((error: unknown) => log.warn('the Lease of the virtual IP was not given back', { error }));
}
