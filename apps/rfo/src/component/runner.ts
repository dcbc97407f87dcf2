import type { BackoffOptions, Clock, Log } from '@rfo/foundation';
import type { Change } from './component.ts';
import type { Track } from './track.ts';

/** What runs a component from the moment its needs are ready. */
export type Runner = {
  /** Applies a changed configuration, with as little disturbance as it allows. */
  readonly reconcile: () => Promise<Change>;
  readonly restart: () => void;
  readonly stop: () => Promise<void>;
  /** Ends the supervision; what is to outlive rfo runs on. */
  readonly release: () => Promise<void>;
};

export type RunOptions = {
  readonly track: Track;
  readonly log: Log;
  readonly clock: Clock;
  readonly pace: Pace;
  /** See `supervise`. */
  readonly beforeReplace?: () => Promise<void>;
};

/** How often and how long, in milliseconds. */
export type Pace = {
  /** Delays before a restart. */
  readonly backoff: BackoffOptions;
  /** Between two health checks of a component that is well. Each costs both sides: the more seldom, the quieter an idle node. */
  readonly healthEvery: number;
  /** The same after a check that failed. */
  readonly doubtEvery: number;
  /** How long one check may last. */
  readonly healthWithin: number;
  /** So many failed checks in a row restart it. */
  readonly healthFailures: number;
  /** After this time without becoming ready the log says what is missing. */
  readonly slowAfter: number;
};

export const defaultPace: Pace = {
  backoff: { initial: 100, max: 30_000 },
  healthEvery: 20_000,
  doubtEvery: 3_000,
  healthWithin: 10_000,
  healthFailures: 3,
  slowAfter: 30_000,
};
