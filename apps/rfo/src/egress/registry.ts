import { type Life, type Log, orAbort } from '@rfo/foundation';
import type { Tunnel } from '@rfo/tunnel';
import type { Metric } from '../server/metrics.ts';

/** The tunnels that nodes keep to this server, by the name in the node's certificate. */
export type TunnelRegistry = {
  /** Takes a tunnel in until it closes. A node may have several while one replaces another. */
  readonly register: (node: string, tunnel: Tunnel) => void;
  /** The newest living tunnel of a node. */
  readonly newest: (node: string) => Tunnel | undefined;
  /** The next tunnel that the node opens, or the one it has. Rejects with the signal's reason. */
  readonly next: (node: string, signal: AbortSignal) => Promise<Tunnel>;
  /** Whether the node had a tunnel a moment ago, or may not have had the time to open one yet. */
  readonly isExpected: (node: string) => boolean;
  /** Number of living tunnels of each node, for the metrics page. */
  readonly metric: () => Metric;
};

export type RegistryOptions = {
  readonly life: Life;
  readonly log: Log;
  /** Milliseconds within which a node comes back after it lost its tunnel, or comes at all after this server's start. */
  readonly returnWithin?: number;
};

/** A node keeps one; what is more than this are remains of broken connections that nobody has noticed yet. */
const mostPerNode = 8;

/** Makes the registry of a server; its tunnels close with the life. */
export function createTunnelRegistry({ life, log, returnWithin = 10_000 }: RegistryOptions): TunnelRegistry {
  /** By node, the newest last. */
  const tunnels = new Map<string, Tunnel[]>();
  const lostAt = new Map<string, number>();
  const waiting = new Map<string, PromiseWithResolvers<Tunnel>>();
  const startedAt = performance.now();
  life.defer(() => {
    for (const tunnel of [...tunnels.values()].flat()) tunnel.close();
  });

  const newest = (node: string): Tunnel | undefined => tunnels.get(node)?.at(-1);

  const remove = (node: string, tunnel: Tunnel): void => {
    const left = (tunnels.get(node) ?? []).filter((other) => other !== tunnel);
    if (left.length > 0) {
      tunnels.set(node, left);
      return;
    }
    tunnels.delete(node);
    forgetOld(lostAt, performance.now() - returnWithin);
    lostAt.set(node, performance.now());
    if (!life.signal.aborted) log.warn(`node ${node} has lost its tunnel: it is dialled directly until it is back`, { node });
  };

  return {
    newest,
    register: (node, tunnel) => {
      if (life.signal.aborted) {
        tunnel.close();
        return;
      }
      const all = [...(tunnels.get(node) ?? []), tunnel];
      tunnels.set(node, all);
      if (all.length === 1) log.info(`node ${node} has opened a tunnel`, { node });
      const gone = (): void => remove(node, tunnel);
      tunnel.closed.then(gone, gone);
      if (all.length > mostPerNode) all[0]?.close();
      waiting.get(node)?.resolve(tunnel);
      waiting.delete(node);
    },
    next: (node, signal) => {
      const tunnel = newest(node);
      if (tunnel !== undefined) return Promise.resolve(tunnel);
      const wait = waiting.get(node) ?? Promise.withResolvers<Tunnel>();
      waiting.set(node, wait);
      return orAbort(wait.promise, signal);
    },
    isExpected: (node) => {
      const since = Math.max(startedAt, lostAt.get(node) ?? 0);
      return performance.now() - since < returnWithin;
    },
    metric: () => ({
      name: 'rfo_node_tunnels',
      help: 'Tunnels that a node has open to this server.',
      type: 'gauge',
      samples: [...tunnels].map(([node, { length }]) => ({ labels: { node }, value: length })),
    }),
  };
}

function forgetOld(times: Map<string, number>, before: number): void {
  for (const [key, time] of times) if (time < before) times.delete(key);
}
