import type { Life, Log } from '@rfo/foundation';
import { createInformer, type KubeClient, type KubeObject } from '@rfo/kube';

/** The addresses of the cluster's API servers, as far as this node knows them. */
export type ServerList = {
  /** Never empty. */
  readonly current: () => readonly string[];
  /** Calls the listener whenever the list has changed; gives the function that ends it. */
  readonly onChange: (listener: (servers: readonly string[]) => void) => () => void;
};

export type ServerListOptions = {
  /** Acts as `system:rfo-controller`. */
  readonly client: KubeClient;
  /** What is known at the start: the servers of the configuration, or those of the last run. */
  readonly initial: readonly string[];
  readonly life: Life;
  readonly log: Log;
  /** Milliseconds that new servers are gathered for before they are told (300). */
  readonly gatherFor?: number;
  /** Milliseconds after which a server that left the list is forgotten (30000): one that restarts takes itself off it. */
  readonly forgetAfter?: number;
};

type EndpointSlice = KubeObject & {
  readonly endpoints?: readonly { readonly addresses?: readonly string[]; readonly conditions?: { readonly ready?: boolean } }[] | null;
};

const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };

/**
 * Follows the endpoints of the `kubernetes` Service, where each API server enters itself. While the API is away the list stays as it was, and
 * an empty one is taken for a fault and passed over.
 */
export function createServerList(options: ServerListOptions): ServerList {
  const { client, initial, life, log, gatherFor = 300, forgetAfter = 30_000 } = options;
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

  const selection = { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' };
  const slices = createInformer<EndpointSlice>({ client, kind, ...selection, life, log });

  const takeIn = (): void => {
    gathering = undefined;
    const listed = addressesOf(slices.store.list());
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

  /** Only by what the API says now: the last it said may be from before it went away, and then those that are missed may be all there are. */
  const forget = async (): Promise<void> => {
    try {
      const { items } = await client.list<EndpointSlice>(kind, { ...selection, signal: life.signal });
      const listed = addressesOf(items);
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

  slices.subscribe(() => {
    gathering ??= setTimeout(takeIn, gatherFor).unref();
  });
  return {
    current: () => servers,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Addresses of the endpoints that accept connections, each once, sorted. */
function addressesOf(slices: readonly EndpointSlice[]): readonly string[] {
  const ready = slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return [...new Set(ready.flatMap(({ addresses }) => addresses ?? []))].sort();
}
