/** A limit of how much is done at once: what comes on top waits in order, and is refused when too much waits already or for too long. */
import { fail } from '@rfo/foundation';

/** Does the work when its turn comes. Throws the refusal, the signal's reason while it waits, and what the work throws. */
export type Limit = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** @param bounds `patience` in milliseconds, without end where it is left out; `refusal` is server-overloaded where it is left out */
export function createLimit(bounds: {
  readonly inFlight: number;
  readonly waiting: number;
  readonly patience?: number;
  readonly refusal?: () => Error;
}): Limit {
  const { inFlight, patience, refusal = () => fail('server-overloaded', {}) } = bounds;
  let busy = 0;
  const queue = new Set<() => void>();

  const enter = (signal: AbortSignal | undefined): Promise<void> | undefined => {
    signal?.throwIfAborted();
    if (busy < inFlight) {
      busy++;
      return undefined;
    }
    if (queue.size >= bounds.waiting) throw refusal();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        queue.delete(start);
      };
      const start = (): void => {
        leave();
        resolve();
      };
      const onAbort = (): void => {
        leave();
        reject(signal?.reason);
      };
      const onImpatience = (): void => {
        leave();
        reject(refusal());
      };
      const timer = patience === undefined ? undefined : setTimeout(onImpatience, patience);
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.add(start);
    });
  };

  /** Who waited longest takes the place over. */
  const exit = (): void => {
    const [next] = queue;
    if (next === undefined) busy--;
    else next();
  };

  return async (work, signal) => {
    await enter(signal);
    try {
      return await work();
    } finally {
      exit();
    }
  };
}
