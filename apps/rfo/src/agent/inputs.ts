import type { NodeConfig } from '@rfo/schema';
import type { HostFacts } from '../host/facts.ts';
import type { Paths } from '../paths.ts';

/** What every part of the agent is rendered from. */
export type AgentInputs = {
  readonly config: NodeConfig;
  readonly paths: Paths;
  readonly host: HostFacts;
  readonly nodeName: string;
  /** The node's addresses, the main one first. */
  readonly nodeIps: readonly [string, ...string[]];
  /** Addresses of the cluster DNS. */
  readonly clusterDns: readonly string[];
  /** resolv.conf for pods, as `prepareHost` chose it. */
  readonly resolvConf: string;
  readonly kubeconfigs: { readonly kubelet: string; readonly kubeProxy: string; readonly flannel: string };
  readonly certs: { readonly clientCa: string; readonly servingKubeletCrt: string; readonly servingKubeletKey: string };
  readonly images: { readonly pause: string };
};

/** Ports of a node, beside those of a server. */
export const agentPorts = { kubelet: 10250, kubeletHealth: 10248, kubeProxyHealth: 10256, kubeProxyMetrics: 10249 } as const;

/** The runtime's endpoint for clients: ours, or the one that the user runs himself. */
export function runtimeEndpoint({ config, paths }: Pick<AgentInputs, 'config' | 'paths'>): string {
  const given = config['container-runtime-endpoint'] ?? paths.agent.containerdSocket;
  return given.includes('://') ? given : `unix://${given}`;
}

/** What kube-proxy, and with it flannel and portmap, write their rules with. */
export function proxyMode({ config, host }: Pick<AgentInputs, 'config' | 'host'>): 'nftables' | 'iptables' {
  const mode = config['kube-proxy-mode'];
  if (mode !== 'auto') return mode;
  return host.nftables.ok ? 'nftables' : 'iptables';
}
