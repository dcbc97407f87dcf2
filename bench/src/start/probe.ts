/** How the benchmark waits for what announces itself by no event: a question every 20 ms, the same for every side. */
import { setTimeout as delay } from 'node:timers/promises';

const interval = 20;

/** Asks every 20 ms (later when an answer takes longer) until the answer is yes; an error counts as no. */
export async function every20ms(look: () => boolean | Promise<boolean>): Promise<void> {
  for (;;) {
    const begin = performance.now();
    try {
      if (await look()) return;
    } catch {
      // Not yet: nobody listens, or what listens is not ready.
    }
    await delay(Math.max(0, interval - (performance.now() - begin)));
  }
}

export function pause(): Promise<void> {
  return delay(interval);
}
