/** The sessions of all clusters that this replica knows of: with agents, with other replicas, and the one with its own cluster. */
import type { Duplex } from 'node:stream';
import type { Log } from '@rfo/foundation';
import { fail } from '@rfo/foundation';
import type { Credentials } from '@rfo/kube';
import type { ConnectionState, Problem, Via } from './connections.ts';

/** One way to a cluster. */
export type Session = {
  readonly cluster: string;
  readonly via: Via;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** `https://host:port`, as the agent reaches it. */
  readonly apiServer: string;
  /** Another object when they change. Never written anywhere. */
  readonly credentials: () => Credentials & { readonly ca: string };
  readonly open: (signal: AbortSignal) => Promise<Duplex>;
  /** Name of the replica that holds it, where that is another one. */
  readonly replica?: string;
  /** Hash of the settings that its agent has confirmed. */
  readonly settings: () => string | undefined;
  readonly end: (reason: string) => void;
};

export type Sessions = {
  /** Gives the function that takes it out again, with the reason. */
  readonly add: (session: Session) => (problem?: Omit<Problem, 'at'>) => void;
  readonly of: (cluster: string) => readonly Session[];
  readonly clusters: () => Iterable<string>;
  readonly best: (cluster: string) => Session | undefined;
  /**
   * Opens a stream by the best session, or by the next where that fails; where the last has ended a moment ago, by one that comes soon.
   * Throws cluster-away, or the signal's reason.
   */
  readonly open: (
    cluster: string,
    options: { readonly own?: boolean; readonly signal: AbortSignal },
  ) => Promise<{ readonly stream: Duplex; readonly session: Session }>;
  readonly state: (cluster: string) => ConnectionState;
  /** What is known of an agent that is not here, or of one that just left. */
  readonly report: (cluster: string, problem: Problem) => void;
  /** Something about a session has changed. */
  readonly touch: (cluster: string) => void;
  readonly onChange: (listener: (cluster: string) => void) => () => void;
};

/** Milliseconds for a session to open a stream where there is another one to try. */
const patience = 3000;
/** How long (ms) after its last session a cluster is waited for: agents dial again at once when a replica or a connection of theirs ends. */
const comesBackWithin = 8000;

export function createSessions({ now, log }: { readonly now: () => number; readonly log: Log }): Sessions {
  type Held = { readonly session: Session; streams: number };
  const held = new Map<string, Set<Held>>();
  const problems = new Map<string, Problem>();
  /** When the last session of a cluster ended, ms, monotonic. */
  const left = new Map<string, number>();
  const listeners = new Set<(cluster: string) => void>();
  const touch = (cluster: string): void => {
    for (const listener of listeners) listener(cluster);
  };

  /** Those of this replica first, those of the Deployment before those of nodes; then the one with the fewest streams, of equals the newest. */
  const ranked = (cluster: string): readonly Held[] =>
    [...(held.get(cluster) ?? [])].sort(
      (a, b) =>
        Number(a.session.replica !== undefined) - Number(b.session.replica !== undefined) ||
        Number(a.session.via === 'node') - Number(b.session.via === 'node') ||
        a.streams - b.streams ||
        b.session.since - a.session.since,
    );

  const away = (cluster: string): Error => {
    const problem = problems.get(cluster)?.message ?? 'no agent is connected';
    return fail('cluster-away', { name: cluster, problem });
  };

  /** Whether a cluster whose last session has just ended has another one, as soon as that is known. */
  const comesBack = (cluster: string, signal: AbortSignal): Promise<boolean> => {
    const rest = (left.get(cluster) ?? Number.NEGATIVE_INFINITY) + comesBackWithin - performance.now();
    if (rest <= 0) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        listeners.delete(look);
        signal.removeEventListener('abort', abort);
        then();
      };
      const look = (changed: string): void => {
        if (changed === cluster && held.has(cluster)) settle(() => resolve(true));
      };
      const abort = (): void => settle(() => reject(signal.reason));
      const timer = setTimeout(() => settle(() => resolve(false)), rest);
      listeners.add(look);
      signal.addEventListener('abort', abort, { once: true });
    });
  };

  /** Aborts when a session has had its time and there is another one to try: now, or as soon as one comes. What is silent may be dead. */
  const untilAnother = (isThere: () => boolean): { readonly signal: AbortSignal; readonly end: () => void } => {
    const turn = new AbortController();
    const look = (): void => {
      if (isThere()) turn.abort(new Error(`no answer within ${patience / 1000} s`));
    };
    const timer = setTimeout(() => {
      listeners.add(look);
      look();
    }, patience);
    const end = (): void => {
      clearTimeout(timer);
      listeners.delete(look);
    };
    return { signal: turn.signal, end };
  };

  const openBy = async (chosen: Held, signal: AbortSignal): Promise<Duplex> => {
    chosen.streams++;
    try {
      const stream = await chosen.session.open(signal);
      stream.once('close', () => chosen.streams--);
      return stream;
    } catch (error) {
      chosen.streams--;
      throw error;
    }
  };

  return {
    touch,
    add: (session) => {
      const { cluster } = session;
      const mine: Held = { session, streams: 0 };
      const all = held.get(cluster) ?? new Set();
      held.set(cluster, all.add(mine));
      problems.delete(cluster);
      left.delete(cluster);
      touch(cluster);
      return (problem) => {
        if (!all.delete(mine)) return;
        if (all.size === 0) {
          held.delete(cluster);
          left.set(cluster, performance.now());
        }
        if (problem !== undefined && all.size === 0) problems.set(cluster, { ...problem, at: now() });
        touch(cluster);
      };
    },
    of: (cluster) => ranked(cluster).map(({ session }) => session),
    clusters: () => held.keys(),
    best: (cluster) => ranked(cluster)[0]?.session,
    open: async (cluster, { own = false, signal }) => {
      signal.throwIfAborted();
      for (;;) {
        const tried = new Set<Held>();
        const next = (): Held | undefined =>
          ranked(cluster).find((each) => !tried.has(each) && !(own && each.session.replica !== undefined));
        let last: unknown = away(cluster);
        for (let chosen = next(); chosen !== undefined; chosen = next()) {
          const { session } = chosen;
          tried.add(chosen);
          const turn = untilAnother(() => next() !== undefined);
          try {
            return { stream: await openBy(chosen, AbortSignal.any([signal, turn.signal])), session };
          } catch (error) {
            signal.throwIfAborted();
            last = error;
            if (next() !== undefined)
              log.warn('a session cannot reach its API server, the next is tried', { cluster, via: session.via, error });
          } finally {
            turn.end();
          }
        }
        // Another replica asks by what it sees itself, and waits by itself.
        if (own || held.has(cluster) || !(await comesBack(cluster, signal))) throw last;
      }
    },
    state: (cluster) => {
      const [best, ...others] = ranked(cluster);
      const problem = problems.get(cluster);
      if (best === undefined) return { connected: false, sessions: 0, ...(problem && { problem }) };
      const { via, version, since, apiServer } = best.session;
      return { connected: true, via, version, since, apiServer, sessions: others.length + 1 };
    },
    report: (cluster, problem) => {
      if (held.has(cluster)) return;
      problems.set(cluster, problem);
      touch(cluster);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
