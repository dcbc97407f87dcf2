import { sleep } from './time.ts';

export type BackoffOptions = { readonly initial: number; readonly max: number; readonly factor?: number; readonly jitter?: number };

/** Delays that grow: `initial` ms, times `factor` (2) up to `max` ms, each shortened by up to `jitter` (0.3) of itself at random. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #next: number;
  constructor(options: BackoffOptions) {
    this.#options = { factor: 2, jitter: 0.3, ...options };
    this.#next = options.initial;
  }
  next(): number {
    const { factor, max, jitter } = this.#options;
    const delay = this.#next;
    this.#next = Math.min(delay * factor, max);
    return delay * (1 - jitter * Math.random());
  }
  reset(): void {
    this.#next = this.#options.initial;
  }
}

/** Calls `attempt` until it succeeds, waiting longer each time; `onError` sees every failure and may throw to give up. */
export async function retry<T>(
  attempt: () => Promise<T>,
  options: BackoffOptions & { readonly signal: AbortSignal; readonly onError?: (error: unknown) => void },
): Promise<T> {
  const backoff = new Backoff(options);
  for (;;) {
    options.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      options.signal.throwIfAborted();
      options.onError?.(error);
      await sleep(backoff.next(), options.signal);
    }
  }
}
