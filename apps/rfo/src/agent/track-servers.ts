/** What becomes of a list of servers that somebody tells: new ones count soon, those that are missing are kept for a while. */
import type { Life, Log } from '@rfo/foundation';

/** The addresses of the cluster's API servers, as far as this node knows them. */
export type ServerList = {
  /** Empty only where none was known at the start and none was told of yet. */
  readonly current: () => readonly string[];
  /** Calls the listener whenever the list has changed; gives the function that ends it. */
  readonly onChange: (listener: (servers: readonly string[]) => void) => () => void;
};

/** Who tells which servers there are. */
export type ServerSource = {
  /** As it said last. */
  readonly listed: () => readonly string[];
  /** As it says now. */
  readonly ask: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Calls the listener when it has said something. */
  readonly subscribe: (listener: () => void) => void;
};

export type TrackOptions = {
  /** What is known at the start: the servers of the configuration, or those of the last run. */
  readonly initial: readonly string[];
  readonly life: Life;
  readonly log: Log;
  /** Milliseconds that new servers are gathered for before they are told (300). */
  readonly gatherFor?: number;
  /** Milliseconds after which a server that left the list is forgotten (30000): one that restarts takes itself off it. */
  readonly forgetAfter?: number;
};

/** While nobody tells anything the list stays as it was, and an empty one is taken for a fault and passed over. */
export function trackServers(source: ServerSource, options: TrackOptions): ServerList {
  const { initial, life, log, gatherFor = 300, forgetAfter = 30_000 } = options;
  const listeners = new Set<(servers: readonly string[]) => void>();
  /** When each known server was first missed. */
  const missedAt = new Map<string, number>();
  let servers: readonly string[] = [...new Set(initial)];
  let gathering: NodeJS.Timeout | undefined;
  let forgetting: NodeJS.Timeout | undefined;
  life.defer(() => {
    clearTimeout(gathering);
    clearTimeout(forgetting);
  });

  const takeIn = (): void => {
    gathering = undefined;
    const listed = source.listed();
    if (listed.length === 0) return;
    const now = performance.now();
    for (const server of listed) missedAt.delete(server);
    for (const server of servers) if (!listed.includes(server) && !missedAt.has(server)) missedAt.set(server, now);
    change([...servers, ...listed.filter((server) => !servers.includes(server))]);
    forgetLater();
  };

  const forgetLater = (): void => {
    if (missedAt.size > 0) forgetting ??= setTimeout(() => void forget(), forgetAfter).unref();
  };

  /** Only by what is said now: what was said last may be from before it fell silent, and then those that are missed may be all there are. */
  const forget = async (): Promise<void> => {
    try {
      const listed = await source.ask(life.signal);
      const missed = [...missedAt].filter(([, since]) => performance.now() - since >= forgetAfter).map(([server]) => server);
      const forgotten = listed.length === 0 ? [] : missed.filter((server) => !listed.includes(server));
      for (const server of forgotten) missedAt.delete(server);
      change(servers.filter((server) => !forgotten.includes(server)));
    } catch (error) {
      log.debug('cannot ask which servers there are', { error });
    }
    forgetting = undefined;
    if (!life.signal.aborted) forgetLater();
  };

  const change = (next: readonly string[]): void => {
    if (next.length === servers.length) return;
    servers = next;
    log.info(`the cluster's servers are ${servers.join(', ')}`, { servers });
    for (const listener of listeners) listener(servers);
  };

  source.subscribe(() => {
    // The first that anybody hears of are what everything waits for.
    if (servers.length === 0) takeIn();
    else gathering ??= setTimeout(takeIn, gatherFor).unref();
  });
  return {
    current: () => servers,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
