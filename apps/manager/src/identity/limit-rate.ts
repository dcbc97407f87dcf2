/** Bounds how often something is done: `burst` times at once, and then `perSecond` times a second. */
import type { Clock } from '@rfo/foundation';

/** @returns a function that tells whether it may be done once more, and counts it if so */
export function limitRate({
  burst,
  perSecond,
  clock,
}: {
  readonly burst: number;
  readonly perSecond: number;
  readonly clock: Clock;
}): () => boolean {
  let left = burst;
  let at = clock.now();
  return () => {
    const now = clock.now();
    left = Math.min(burst, left + (Math.max(0, now - at) / 1000) * perSecond);
    at = now;
    if (left < 1) return false;
    left--;
    return true;
  };
}
