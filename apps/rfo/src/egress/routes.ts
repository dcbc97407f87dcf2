import { canonicalIp } from '@rfo/pki';
import type { Target } from '@rfo/tunnel';
import type { EgressMode } from './egress-config.ts';
import { Ranges } from './ranges.ts';

/** What of a Node matters here. */
export type NodeFacts = {
  readonly name: string;
  /** IP addresses and host names. */
  readonly addresses: readonly string[];
  readonly podCidrs: readonly string[];
  readonly kubeletPort: number;
};

/** How a target is reached; `ask` is what the node's end of the tunnel is asked for. */
export type Route = { readonly via: 'direct' } | { readonly via: 'tunnel'; readonly node: string; readonly ask: Target };

export type Routes = {
  /** By address in its canonical spelling, or by host name. */
  readonly hosts: ReadonlyMap<string, NodeFacts>;
  readonly pods: Ranges<NodeFacts>;
};

/** The port of containers' streams in runtimes that serve them themselves. */
export const streamingPort = 10010;

const direct: Route = { via: 'direct' };

/**
 * Arranges nodes for `decide`.
 * @param nodes the newest first: where two have the same address, as after a machine was replaced, it belongs to that one
 */
export function buildRoutes(nodes: readonly NodeFacts[]): Routes {
  const hosts = new Map<string, NodeFacts>();
  const pods = new Ranges<NodeFacts>();
  for (const node of nodes) {
    for (const address of node.addresses) {
      const key = canonicalIp(address) ?? address;
      if (!hosts.has(key)) hosts.set(key, node);
    }
    for (const range of node.podCidrs) pods.add(range, node);
  }
  return { hosts, pods };
}

/**
 * Decides how the API server's connection to a target goes. Kubelets are asked for on the node's loopback, so that neither its firewall nor a
 * change of its address matters; everything on this server's own node, and what no mode covers, is dialled directly.
 */
export function decide(
  { hosts, pods }: Routes,
  { target, mode, ownNode }: { readonly target: Target; readonly mode: Exclude<EgressMode, 'auto'>; readonly ownNode: string },
): Route {
  if (mode === 'disabled') return direct;
  const host = hosts.get(canonicalIp(target.host) ?? target.host);
  if (host !== undefined) {
    const isKubelet = target.port === host.kubeletPort || target.port === streamingPort;
    if (!isKubelet || host.name === ownNode) return direct;
    return { via: 'tunnel', node: host.name, ask: { host: '127.0.0.1', port: target.port } };
  }
  const owner = mode === 'agent' ? undefined : pods.find(target.host);
  return owner === undefined || owner.name === ownNode ? direct : { via: 'tunnel', node: owner.name, ask: target };
}
