/** Wakes a loop before its time. */
export type Bell = {
  readonly ring: () => void;
  /** Resolves with whether it rang: after `ms` milliseconds, when it rings, at once when it rang since the last time, or when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<boolean>;
};

/** Longer than this setTimeout cannot count, and no loop here sleeps. */
const longest = 60_000;

export function createBell(): Bell {
  let rung = Promise.withResolvers<void>();
  let rang = false;
  return {
    ring: () => {
      rang = true;
      rung.resolve();
    },
    wait: async (ms, signal) => {
      const over = Promise.withResolvers<void>();
      const timer = setTimeout(over.resolve, Math.max(0, Math.min(ms, longest)));
      signal.addEventListener('abort', () => over.resolve(), { once: true });
      if (signal.aborted) over.resolve();
      await Promise.race([rung.promise, over.promise]);
      clearTimeout(timer);
      const result = rang;
      rang = false;
      rung = Promise.withResolvers<void>();
      return result;
    },
  };
}
