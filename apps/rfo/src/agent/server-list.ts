import { createInformer, type KubeClient, type KubeObject } from '@rfo/kube';
import { type ServerList, type TrackOptions, trackServers } from './track-servers.ts';

export type ServerListOptions = TrackOptions & {
  /** Acts as `system:rfo-controller`. */
  readonly client: KubeClient;
  /** When the API can be asked; at once by default. */
  readonly apiServes?: Promise<unknown>;
};

type EndpointSlice = KubeObject & {
  readonly endpoints?: readonly { readonly addresses?: readonly string[]; readonly conditions?: { readonly ready?: boolean } }[] | null;
};

const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
const selection = { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' };

/** Follows the endpoints of the `kubernetes` Service, where each API server enters itself. */
export function createServerList({ client, apiServes, ...options }: ServerListOptions): ServerList {
  const { life, log } = options;
  const slices = createInformer<EndpointSlice>({ client, kind, ...selection, life, log, ...(apiServes && { begin: apiServes }) });
  return trackServers(
    {
      listed: () => addressesOf(slices.store.list()),
      ask: async (signal) => addressesOf((await client.list<EndpointSlice>(kind, { ...selection, signal })).items),
      subscribe: slices.subscribe,
    },
    options,
  );
}

/** Addresses of the endpoints that accept connections, each once, sorted. */
function addressesOf(slices: readonly EndpointSlice[]): readonly string[] {
  const ready = slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return [...new Set(ready.flatMap(({ addresses }) => addresses ?? []))].sort();
}
