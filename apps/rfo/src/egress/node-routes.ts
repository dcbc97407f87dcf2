import { type Log, orAbort } from '@rfo/foundation';
import type { Informer } from '@rfo/kube';
import type { Target } from '@rfo/tunnel';
import type { ClusterNode } from '../server/cluster-nodes.ts';
import type { EgressMode } from './egress-config.ts';
import { buildRoutes, decide, type NodeFacts, type Route, type Routes } from './routes.ts';

export type NodeRoutesOptions = {
  readonly nodes: Informer<ClusterNode>;
  readonly mode: Exclude<EgressMode, 'auto'>;
  /** The name of the node that this server runs on. */
  readonly ownNode: string;
  readonly log: Log;
};

const usualKubeletPort = 10250;

/** Milliseconds that a connection waits for the first list of nodes before it is dialled directly. */
const firstListWithin = 2_000;

/** Decides by the Nodes as the API has them now; the last known ones while it is away. */
export function routesOfNodes({ nodes, mode, ownNode, log }: NodeRoutesOptions): (target: Target) => Promise<Route> {
  let routes: Routes | undefined;
  nodes.subscribe(() => {
    routes = undefined;
  });
  return async (target) => {
    await orAbort(nodes.synced, AbortSignal.timeout(firstListWithin)).catch(() => log.debug('the nodes are not known yet'));
    routes ??= buildRoutes(nodes.store.list().sort(newestFirst).map(factsOf));
    return decide(routes, { target, mode, ownNode });
  };
}

/** The ranges of addresses that pods of the node get. */
export function podCidrsOf({ spec }: Pick<ClusterNode, 'spec'>): readonly string[] {
  return spec?.podCIDRs ?? [];
}

function factsOf(node: ClusterNode): NodeFacts {
  const { metadata, status } = node;
  return {
    name: metadata.name,
    addresses: (status?.addresses ?? []).map(({ address }) => address),
    podCidrs: podCidrsOf(node),
    kubeletPort: status?.daemonEndpoints?.kubeletEndpoint?.Port ?? usualKubeletPort,
  };
}

function newestFirst(one: ClusterNode, other: ClusterNode): number {
  return (other.metadata.creationTimestamp ?? '').localeCompare(one.metadata.creationTimestamp ?? '');
}
