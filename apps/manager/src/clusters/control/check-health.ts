/** Looks at a cluster: its version, the parts of its control plane, its nodes. */
import type { KubeClient, KubeObject, Lease } from '@rfo/kube';
import { apiStatus } from '@rfo/kube';
import type { Cluster } from '@rfo/schema';
import { sumQuantities } from './quantity.ts';

type Status = NonNullable<Cluster['status']>;
export type Component = { readonly name: string; readonly healthy: boolean; readonly message?: string };
export type Nodes = {
  readonly nodes: NonNullable<Status['nodes']>;
  readonly capacity: Record<string, string>;
  readonly allocatable: Record<string, string>;
};
export type Health = { readonly kubernetesVersion?: string; readonly components: readonly Component[]; readonly nodes?: Nodes };

/** What is remembered from one look to the next: when each Lease was renewed, by its own words. */
export type Memory = {
  readonly leases: Map<string, { readonly renewed: string; readonly seen: number }>;
  nodesAt: number;
  nodes: Nodes | undefined;
  /** The last look: by which session, what it found, and when (ms, monotonic). */
  looked?: { readonly session: unknown; readonly health: Health | Error; readonly at: number };
};
export const newMemory = (): Memory => ({ leases: new Map(), nodesAt: Number.NEGATIVE_INFINITY, nodes: undefined });

/** Nodes are many: they are counted once in this time (ms). */
const nodesEvery = 60_000;
/** A part that has not renewed its Lease for this long (ms) is not well: kube-controller-manager gives up after 10 s. */
const stale = 40_000;
const leaders = ['kube-controller-manager', 'kube-scheduler'] as const;

/**
 * Throws what the API says where it cannot be reached at all.
 * @param options.now milliseconds of a clock that only goes on, to tell how long a Lease stands still: clocks are not compared
 */
export async function checkHealth(options: {
  readonly client: KubeClient;
  readonly memory: Memory;
  readonly now: number;
  readonly signal: AbortSignal;
}): Promise<Health> {
  const { client, memory, now, signal } = options;
  const [version, ready, ...held] = await Promise.all([
    client.raw({ method: 'GET', path: '/version', signal }),
    client.raw({ method: 'GET', path: '/readyz?verbose', signal }),
    ...leaders.map((name) =>
      client
        .find<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system', name }, { signal })
        .catch((error: unknown) => {
          if (apiStatus(error) === undefined) throw error;
          return undefined;
        }),
    ),
  ]);
  if (now - memory.nodesAt >= nodesEvery) {
    memory.nodes = await countNodes(client, signal);
    memory.nodesAt = now;
  }
  const kubernetesVersion = version.status === 200 ? gitVersionOf(version.text) : undefined;
  return {
    ...(kubernetesVersion && { kubernetesVersion }),
    components: [...parseReadyz(ready), ...leaders.flatMap((name, index) => leaderHealth(name, held[index], { memory, now }))],
    ...(memory.nodes && { nodes: memory.nodes }),
  };
}

/** The lines of `/readyz?verbose`: the API server as a whole, and what it asks others for; its own start hooks are not told one by one. */
export function parseReadyz({ status, text }: { readonly status: number; readonly text: string }): readonly Component[] {
  const failed = [...text.matchAll(/^\[-\](\S+) (.*)$/gm)].map(([, name, message]) => ({ name: String(name), message: String(message) }));
  if (status !== 200 && failed.length === 0) return [{ name: 'kube-apiserver', healthy: false, message: `/readyz answers ${status}` }];
  const own = failed.filter(({ name }) => !name.startsWith('etcd'));
  const etcd = failed.find(({ name }) => name === 'etcd');
  const message = own.map((each) => `${each.name}: ${each.message}`).join('; ');
  const asksEtcd = etcd !== undefined || /^\[\+\]etcd /m.test(text);
  return [
    { name: 'kube-apiserver', healthy: own.length === 0, ...(message !== '' && { message }) },
    ...(asksEtcd ? [{ name: 'etcd', healthy: etcd === undefined, ...(etcd && { message: etcd.message }) }] : []),
  ];
}

/** Nothing of one that has no Lease: clusters that somebody else runs do not show theirs. */
function leaderHealth(
  name: string,
  lease: Lease | undefined,
  { memory, now }: { readonly memory: Memory; readonly now: number },
): readonly Component[] {
  const renewed = lease?.spec?.renewTime;
  if (renewed === undefined) return [];
  const before = memory.leases.get(name);
  const seen = before?.renewed === renewed ? before.seen : now;
  memory.leases.set(name, { renewed, seen });
  const silent = now - seen;
  if (silent < stale) return [{ name, healthy: true }];
  return [{ name, healthy: false, message: `its Lease has not been renewed since ${renewed}` }];
}

type Node = KubeObject & {
  readonly status?: {
    readonly capacity?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};

async function countNodes(client: KubeClient, signal: AbortSignal): Promise<Nodes> {
  const { items } = await client.list<Node>({ apiVersion: 'v1', kind: 'Node' }, { signal });
  const isReady = ({ status }: Node): boolean =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
  return {
    nodes: { total: items.length, ready: items.filter(isReady).length },
    capacity: sumQuantities(items.map(({ status }) => status?.capacity ?? {})),
    allocatable: sumQuantities(items.map(({ status }) => status?.allocatable ?? {})),
  };
}

function gitVersionOf(text: string): string | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('gitVersion' in value)) return undefined;
  return typeof value.gitVersion === 'string' ? value.gitVersion.slice(0, 64) : undefined;
}
