import { Backoff, type BackoffOptions } from '@rfo/foundation';

const defaultBackoff: BackoffOptions = { initial: 50, max: 300_000 };

/**
 * Keys that wait for work. A key waits at most once; one that is added while it is worked on comes again afterwards, never beside itself.
 *
 *     add ──► waiting ──next──► working ──done──► (waiting, if it was added meanwhile)
 */
export class WorkQueue {
  readonly #waiting = new Set<string>();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #backoffs = new Map<string, Backoff>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #backoffOptions: BackoffOptions;
  #closed = false;

  constructor(backoff: BackoffOptions = defaultBackoff) {
    this.#backoffOptions = backoff;
  }

  /** Keys that wait, are worked on, or come later. */
  get size(): number {
    return new Set([...this.#waiting, ...this.#working, ...this.#timers.keys()]).size;
  }

  add(key: string): void {
    if (this.#closed) return;
    this.#cancelTimer(key);
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    const taker = this.#waiting.has(key) ? undefined : this.#takers.shift();
    if (taker === undefined) this.#waiting.add(key);
    else this.#give(key, taker);
  }

  /** Adds the key `ms` milliseconds from now, unless it is added before. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    this.#cancelTimer(key);
    const timer = setTimeout(() => this.add(key), ms);
    timer.unref();
    this.#timers.set(key, timer);
  }

  /** Adds the key after a delay that grows each time; gives the delay in milliseconds. */
  retry(key: string): number {
    const backoff = this.#backoffs.get(key) ?? new Backoff(this.#backoffOptions);
    this.#backoffs.set(key, backoff);
    const delay = backoff.next();
    this.addAfter(key, delay);
    return delay;
  }

  /** The next retry of the key is soon again. */
  forget(key: string): void {
    this.#backoffs.delete(key);
  }

  /** The next key, now being worked on; undefined once the queue is closed. */
  next(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const [key] = this.#waiting;
    return new Promise((resolve) => {
      if (key === undefined) {
        this.#takers.push(resolve);
        return;
      }
      this.#waiting.delete(key);
      this.#give(key, resolve);
    });
  }

  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Drops what waits; every `next` gives undefined from now on. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #give(key: string, taker: (key: string) => void): void {
    this.#working.add(key);
    taker(key);
  }

  #cancelTimer(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }
}
