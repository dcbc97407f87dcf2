/** Bounds how often something expensive is done for anybody who asks. */
import type { Clock } from '@rfo/foundation';

/** Gives a function that says whether one more may be done now: at most `perSecond` on average, and as many at once. */
export function limitRate(perSecond: number, clock: Clock): () => boolean {
  let left = perSecond;
  let at = clock.now();
  return () => {
    const now = clock.now();
    // A clock that was set back gives nothing, but does not stop it for ever either.
    left = Math.min(perSecond, left + (Math.max(0, now - at) * perSecond) / 1000);
    at = now;
    if (left < 1) return false;
    left--;
    return true;
  };
}
