import { orAbort } from '@rfo/foundation';
import type { RunOptions } from './runner.ts';

/** Waits for readiness as long as it takes; the log says once what is missing when that is long. */
export async function untilReady(ready: Promise<void>, options: RunOptions & { readonly signal: AbortSignal }): Promise<void> {
  const { track, log, pace, signal } = options;
  const timer = setTimeout(
    () => log.warn('is not ready yet', { seconds: pace.slowAfter / 1000, because: track.latestNote }),
    pace.slowAfter,
  );
  try {
    await orAbort(ready, signal);
  } finally {
    clearTimeout(timer);
  }
}
