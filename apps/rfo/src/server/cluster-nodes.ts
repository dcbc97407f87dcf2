import type { Life, Log } from '@rfo/foundation';
import { type Condition, createInformer, type Informer, type KubeClient, type KubeObject } from '@rfo/kube';

/** A Node holds tens of kilobytes, of which this is all that is kept. */
export type ClusterNode = KubeObject & {
  readonly spec?: { readonly podCIDRs?: readonly string[] };
  readonly status?: {
    readonly addresses?: readonly { readonly address: string }[];
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } };
    readonly conditions?: readonly Condition[];
  };
};

export type ClusterNodes = {
  readonly informer: Informer<ClusterNode>;
  /** Whether there is a Node of this name; undefined until the API has told which there are. */
  readonly isKnown: (name: string) => boolean | undefined;
};

/** Follows the Nodes of the cluster for everything on a server that needs to know them: one watch for all. */
export function followNodes(input: {
  readonly client: KubeClient;
  /** When the API can be asked; at once by default. */
  readonly apiServes?: Promise<unknown>;
  readonly life: Life;
  readonly log: Log;
}): ClusterNodes {
  const { client, apiServes, life, log } = input;
  const informer = createInformer<ClusterNode>({
    client,
    life,
    log,
    ...(apiServes && { begin: apiServes }),
    kind: { apiVersion: 'v1', kind: 'Node' },
    transform: whatMatters,
  });
  let synced = false;
  informer.synced.then(
    () => {
      synced = true;
    },
    () => undefined, // The life has ended.
  );
  return { informer, isKnown: (name) => (synced ? informer.store.get(name) !== undefined : undefined) };
}

/** Who it is, how it is reached, and its member of etcd. */
function whatMatters({ apiVersion, kind, metadata, spec, status }: ClusterNode): ClusterNode {
  const { managedFields: _, labels: __, annotations = {}, ...identity } = metadata;
  const ours = Object.entries(annotations).filter(([name]) => name.startsWith('etcd.rfo.io/'));
  const conditions = status?.conditions?.filter(({ type }) => type === 'EtcdIsVoter') ?? [];
  return {
    apiVersion,
    kind,
    metadata: { ...identity, ...(ours.length > 0 && { annotations: Object.fromEntries(ours) }) },
    spec: { podCIDRs: spec?.podCIDRs ?? [] },
    status: {
      addresses: (status?.addresses ?? []).map(({ address }) => ({ address })),
      ...(status?.daemonEndpoints && { daemonEndpoints: status.daemonEndpoints }),
      ...(conditions.length > 0 && { conditions }),
    },
  };
}
