/** Bounds how often something is done: `burst` times at once, and then `perSecond` times a second. */
import type { Clock } from '@rfo/foundation';

export type Rate = { readonly burst: number; readonly perSecond: number };

/** @returns a function that tells whether it may be done once more, and counts it if so */
export function limitRate({ clock, ...rate }: Rate & { readonly clock: Clock }): () => boolean {
  let left = rate.burst;
  let at = clock.now();
  return () => {
    const now = clock.now();
    left = refill({ left, at }, rate, now);
    at = now;
    if (left < 1) return false;
    left--;
    return true;
  };
}

/**
 * How often it may be done now, in whole and parts, where `left` was what was left `at` a time in milliseconds. A clock that was set back gives
 * nothing, but does not stop it for ever either.
 */
export function refill({ left, at }: { readonly left: number; readonly at: number }, { burst, perSecond }: Rate, now: number): number {
  return Math.min(burst, left + (Math.max(0, now - at) * perSecond) / 1000);
}
