import { type Life, type Log, orAbort } from '@rfo/foundation';
import { createInformer, type KubeClient, type KubeObject } from '@rfo/kube';
import type { Target } from '@rfo/tunnel';
import type { EgressMode } from './egress-config.ts';
import { buildRoutes, decide, type NodeFacts, type Route, type Routes } from './routes.ts';

export type NodeRoutesOptions = {
  readonly client: KubeClient;
  readonly mode: EgressMode;
  /** The name of the node that this server runs on. */
  readonly ownNode: string;
  readonly life: Life;
  readonly log: Log;
};

export type Node = KubeObject & {
  readonly spec?: { readonly podCIDRs?: readonly string[] };
  readonly status?: {
    readonly addresses?: readonly { readonly address: string }[];
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } };
  };
};

const kind = { apiVersion: 'v1', kind: 'Node' };
const usualKubeletPort = 10250;

/** Milliseconds that a connection waits for the first list of nodes before it is dialled directly. */
const firstListWithin = 2_000;

/** Decides by the Nodes as the API has them now; the last known ones while it is away. */
export function watchNodeRoutes({ client, mode, ownNode, life, log }: NodeRoutesOptions): (target: Target) => Promise<Route> {
  const nodes = createInformer<Node>({ client, kind, transform: onlyNeeded, life, log });
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

/** A Node holds tens of kilobytes, of which this is all that is kept. */
function onlyNeeded({ apiVersion, kind, metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }), ...(creationTimestamp && { creationTimestamp }) },
    spec: { podCIDRs: spec?.podCIDRs ?? [] },
    status: {
      addresses: (status?.addresses ?? []).map(({ address }) => ({ address })),
      ...(status?.daemonEndpoints && { daemonEndpoints: status.daemonEndpoints }),
    },
  };
}

/** The ranges of addresses that pods of the node get. */
export function podCidrsOf({ spec }: Node): readonly string[] {
  return spec?.podCIDRs ?? [];
}

function factsOf(node: Node): NodeFacts {
  const { metadata, status } = node;
  return {
    name: metadata.name,
    addresses: (status?.addresses ?? []).map(({ address }) => address),
    podCidrs: podCidrsOf(node),
    kubeletPort: status?.daemonEndpoints?.kubeletEndpoint?.Port ?? usualKubeletPort,
  };
}

function newestFirst(one: Node, other: Node): number {
  return (other.metadata.creationTimestamp ?? '').localeCompare(one.metadata.creationTimestamp ?? '');
}
