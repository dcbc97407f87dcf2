/** The wait of last resort, for what announces itself by no event: asks again and again, and says in the end what it saw last. */

import { AssertionError } from 'node:assert';
import { Backoff, fail, sleep } from '@rfo/foundation';

export type Patience = {
  readonly signal: AbortSignal;
  /** Milliseconds in all; 2 minutes by default. */
  readonly within?: number;
};

/**
 * Calls `look` until it neither throws nor gives undefined, 50 ms to 1 s apart; gives what it gave.
 * @param what names the awaited for the message, such as `the pid of etcd to change`
 * @throws `timeout` with the last failure
 */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>, patience: Patience): Promise<T> {
  const { signal, within = 120_000 } = patience;
  const deadline = Date.now() + within;
  const pause = new Backoff({ initial: 50, max: 1000, factor: 1.5, jitter: 0 });
  for (;;) {
    let seen: string;
    try {
      const result = await look();
      if (result !== undefined) return result;
      seen = 'it was not so yet';
    } catch (error) {
      signal.throwIfAborted();
      seen = describe(error);
    }
    if (Date.now() > deadline) throw fail('timeout', { what, seconds: within / 1000, cure: `Seen last: ${seen}` });
    await sleep(pause.next(), signal);
  }
}

function describe(error: unknown): string {
  if (error instanceof AssertionError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
