/**
 * Bounds how often one address may fail. Only failures count: behind one address (a NAT, a load balancer) there may be hundreds of agents, which
 * all come at once when the manager starts anew.
 */
import { type Clock, fail } from '@rfo/foundation';
import { type Rate, refill } from '@rfo/http';
import { networkOf } from './network-of.ts';

export type FailureLimit = {
  /** Passes, or throws too-many-attempts. To be asked before anything is looked up. */
  readonly check: (address: string | undefined) => void;
  /** What came from there was wrong. */
  readonly failed: (address: string | undefined) => void;
};

/** Addresses that are told apart; of more the ones that failed longest ago are forgotten. */
const mostKept = 10_000;

/** @param bounds failures that are free at once, and then so many a second */
export function limitFailures({ clock, ...rate }: Rate & { readonly clock: Clock }): FailureLimit {
  const { burst, perSecond } = rate;
  const all = new Map<string, { readonly left: number; readonly at: number }>();
  const leftOf = (key: string, now: number): number => refill(all.get(key) ?? { left: burst, at: now }, rate, now);
  return {
    check: (address = '') => {
      const left = leftOf(networkOf(address), clock.now());
      if (left < 1) throw fail('too-many-attempts', { seconds: Math.ceil((1 - left) / perSecond) });
    },
    failed: (address = '') => {
      const key = networkOf(address);
      const now = clock.now();
      // What began before the limit was reached ends after it: no debt grows from that.
      const left = Math.max(0, leftOf(key, now) - 1);
      // As the last: the first is the one that failed longest ago.
      all.delete(key);
      all.set(key, { left, at: now });
      const [oldest] = all.keys();
      if (all.size > mostKept && oldest !== undefined) all.delete(oldest);
    },
  };
}
