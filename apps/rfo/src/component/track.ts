import { type Clock, fail, type Log, orAbort } from '@rfo/foundation';
import type { ComponentState } from './component.ts';

/** When what happened, in milliseconds of the clock; the first time counts. */
export type Times = {
  readonly created: number;
  readonly needsReady?: number;
  readonly ready?: number;
  readonly how?: 'task' | 'started' | 'adopted';
};

/** The state of one component: the one place where it changes, is logged, and is waited for. */
export class Track {
  readonly name: string;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #onChange: (track: Track) => void;
  readonly #watchers = new Set<() => void>();
  #state: ComponentState = 'waiting';
  #error: unknown;
  #times: Times;
  #restarts = 0;
  /** Why it is not ready yet, as its probe says. */
  #note = '';

  constructor(name: string, options: { readonly log: Log; readonly clock: Clock; readonly onChange: (track: Track) => void }) {
    this.name = name;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#onChange = options.onChange;
    this.#times = { created: options.clock.now() };
  }

  get state(): ComponentState {
    return this.#state;
  }
  /** What led to `restarting`, `unhealthy` or `failed`. */
  get error(): unknown {
    return this.#error;
  }
  get times(): Times {
    return this.#times;
  }
  get restarts(): number {
    return this.#restarts;
  }
  get latestNote(): string {
    return this.#note;
  }

  readonly note = (problem: string): void => {
    this.#note = problem;
  };

  /** Changes the state and writes its log line. */
  set(state: ComponentState, details: { readonly error?: unknown; readonly how?: Times['how'] } & Record<string, unknown> = {}): void {
    if (state === this.#state) return;
    const now = this.#clock.now();
    this.#state = state;
    this.#error = details.error;
    this.#note = '';
    if (state === 'restarting') this.#restarts++;
    if (state === 'starting') this.#times = { needsReady: now, ...this.#times };
    if (state === 'ready') this.#times = { ready: now, ...(details.how && { how: details.how }), ...this.#times };
    const level = state === 'failed' ? 'error' : state === 'restarting' || state === 'unhealthy' ? 'warn' : 'info';
    this.#log[level](state, details);
    this.#onChange(this);
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves once the state is one of these. */
  async until(states: readonly ComponentState[], signal?: AbortSignal): Promise<void> {
    if (states.includes(this.#state)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const watcher = (): void => {
      if (states.includes(this.#state)) resolve();
    };
    this.#watchers.add(watcher);
    try {
      await (signal === undefined ? promise : orAbort(promise, signal));
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  /** Resolves when it is ready; throws its error when it failed, or that it was stopped. */
  async whenReady(signal?: AbortSignal): Promise<void> {
    await this.until(['ready', 'failed', 'stopped', 'released'], signal);
    if (this.#state === 'ready') return;
    throw this.#error ?? fail('component-stopped', { name: this.name });
  }
}
