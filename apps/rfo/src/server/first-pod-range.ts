/**
 * The pod range of a cluster's first node. kube-controller-manager hands ranges out, but not before the API server has called itself ready, and flannel
 * takes its second only then: given by the server itself, the first node is Ready more than a second sooner (docs/decisions/0005-start-order.md).
 */
import type { Log } from '@rfo/foundation';
import { apiStatus, type KubeClient } from '@rfo/kube';
import type { ServerConfig } from '@rfo/schema';
import { networkOf } from '../agent/network-address.ts';
import type { Roles } from './roles.ts';

type Settings = Pick<ServerConfig, 'server' | 'cluster-cidr' | 'kube-controller-manager-arg' | 'cni'>;

/** What kube-controller-manager gives each node of a cluster, unless told otherwise. */
const prefixOfNodes = 24;

/**
 * The range that kube-controller-manager would choose for the first node: the first of its ranges. Undefined where that is not for this server to
 * know: it joins others, runs no kube-controller-manager, or that was told how to divide the addresses.
 */
export function firstPodRange(config: Settings, roles: Pick<Roles, 'controllerManager'>): string | undefined {
  const [network, prefix] = networkOf(config['cluster-cidr']).split('/');
  const told = config['kube-controller-manager-arg'].some((argument) => /^-*[a-z0-9-]*cidr/.test(argument));
  if (config.server.length > 0 || !roles.controllerManager || config.cni !== 'flannel' || told) return undefined;
  return Number(prefix) <= prefixOfNodes ? `${network}/${prefixOfNodes}` : undefined;
}

/** Gives the node the range. kube-controller-manager, which starts later, takes note of it; if it was faster, its word stands. */
export async function givePodRange(input: {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly range: string;
  readonly signal: AbortSignal;
  readonly log: Log;
}): Promise<void> {
  const { client, nodeName, range, signal, log } = input;
  try {
    await client.patch({ apiVersion: 'v1', kind: 'Node', name: nodeName }, { spec: { podCIDR: range, podCIDRs: [range] } }, { signal });
  } catch (error) {
    // A range that is set cannot be changed.
    if (apiStatus(error)?.reason !== 'Invalid') throw error;
    log.debug('the node had its pod range already', { error });
  }
}
