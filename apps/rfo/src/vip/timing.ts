/**
 * The arithmetic that keeps two servers from answering at once, in milliseconds of a monotonic clock. Everything of the holder counts from
 * the moment at which it sent its last successful renewal, everything of the others from the moment at which they saw it, which is later:
 *
 *   sent   answered                   kernel removes         others may take
 *    0 ──────┬── renews again: 2000 ── the address: ≤ 4500 ──── 5000 ──►
 *            └── the kernel is told how many whole seconds are left; it is up to `kernelLate` late
 */
export type Timing = {
  /** So long after the last sign of life of the holder another may take the address. */
  readonly duration: number;
  /** Between the sending of two renewals. */
  readonly renewEvery: number;
  /** After a renewal that failed and may succeed in a moment. */
  readonly retryEvery: number;
  /** How long one request may take. */
  readonly requestWithin: number;
  /** By how much the kernel may remove an address later than it was told: measured 0.5 s, by its source about 1 s. */
  readonly kernelLate: number;
  /** The same as `duration`, while an rfo is away that will come back: a restart, an upgrade. */
  readonly away: number;
};

export const usualTiming: Timing = {
  duration: 5_000,
  renewEvery: 2_000,
  retryEvery: 500,
  requestWithin: 1_500,
  kernelLate: 1_500,
  away: 15_000,
};

/**
 * When a new holder speaks up, counted from its beginning; later every `announceEvery`. A frame may be lost, a switch may still be learning,
 * and Linux does not change for a second what it has just confirmed.
 */
const announceAt: readonly number[] = [0, 300, 600, 1_050];
const lastAt = Math.max(...announceAt);
const announceEvery = 60_000;

/**
 * For how many whole seconds the kernel may keep the address.
 * @param elapsed since the renewal was sent
 * @returns 0 when it is too late for any
 */
export function lifetimeSeconds({ duration, kernelLate }: Pick<Timing, 'duration' | 'kernelLate'>, elapsed: number): number {
  return Math.max(0, Math.floor((duration - kernelLate - elapsed) / 1000));
}

/** When a holder that cannot renew gives up by itself, counted from the sending of the last success: where the kernel's patience ends. */
export function deadline({ duration, kernelLate }: Pick<Timing, 'duration' | 'kernelLate'>): number {
  return duration - kernelLate;
}

/** When the announcement after `count` others is due, counted from the beginning of the term. */
export function announcementAt(count: number): number {
  return announceAt[count] ?? lastAt + (count - announceAt.length + 1) * announceEvery;
}
