import { sleep } from '@rfo/foundation';
import { reasonOf } from './reason.ts';

export type ProbeOptions = {
  /** Ends the wait with its reason; give it the `gone` of the process that is waited for. */
  readonly signal: AbortSignal;
  /** Hears why each attempt failed, for the one who tells users what is being waited for. */
  readonly note?: (problem: string) => void;
};

/**
 * Calls `attempt` until it does not throw: every 20 ms at first (nothing tells that a port is open), later every hundredth of
 * the time waited up to a second, so that it is never more than a hundredth late and a long wait costs little.
 */
export async function poll(attempt: () => Promise<void>, { signal, note }: ProbeOptions): Promise<void> {
  const since = performance.now();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      note?.(reasonOf(error));
    }
    await sleep(Math.min(1000, Math.max(20, (performance.now() - since) / 100)), signal);
  }
}
