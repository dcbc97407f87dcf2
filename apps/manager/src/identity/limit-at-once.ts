/** Bounds how much of something runs at the same time: what comes on top waits in order, and is refused where too much waits already. */
import { fail } from '@rfo/foundation';

/** @returns a function that does the work when its turn comes; throws sign-in-busy, and what the work throws */
export function limitAtOnce(atOnce: number, waiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let busy = 0;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (busy < atOnce) busy++;
    else if (queue.length >= waiting) throw fail('sign-in-busy', {});
    else await new Promise<void>((start) => queue.push(start));
    try {
      return await work();
    } finally {
      // Who waited longest takes the place over.
      const next = queue.shift();
      if (next === undefined) busy--;
      else next();
    }
  };
}
