import { setTimeout as delay } from 'node:timers/promises';

/** The wall clock, replaceable so that tests move time. Milliseconds since 1970. */
export type Clock = { readonly now: () => number };
export const systemClock: Clock = { now: () => Date.now() };

/** Waits `ms` milliseconds or throws the signal's reason. The timer does not keep the process alive by itself. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}

/** Settles like `promise`, or rejects with the signal's reason as soon as it aborts. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    // Nobody will hear how it ends: its rejection must not count as unhandled.
    promise.catch(() => undefined);
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
