// The configuration of an agent: those of a server's options that have a meaning on a node without a control plane, and what they become
// together with the settings of the cluster, which every node takes from its servers.
import * as z from 'zod/mini';
import { declareOptions, type Values } from './declaration.ts';
import type { ServerConfig } from './server-config.ts';
import { clusterOptions, rangeOptions } from './server-options/cluster.ts';
import { argumentOptions, componentOptions, securityOptions } from './server-options/components.ts';
import { fileOptions } from './server-options/files.ts';
import { agentJoinOptions, egressOptions, joinOptions } from './server-options/join.ts';
import { networkOptions, nodeOptions, runtimeOptions } from './server-options/node.ts';
import { agentRules } from './server-rules.ts';

const { 'write-kubeconfig-mode': _mode, 'write-kubeconfig-group': _group, 'supervisor-metrics': _metrics, ...agentFiles } = fileOptions;
const { 'flannel-iface': flannelIface, 'kube-proxy-mode': kubeProxyMode } = networkOptions;

const agentOptions = {
  ...agentFiles,
  ...joinOptions,
  ...agentJoinOptions,
  'token': clusterOptions.token,
  'token-file': clusterOptions['token-file'],
  ...nodeOptions,
  'flannel-iface': flannelIface,
  'kube-proxy-mode': kubeProxyMode,
  ...runtimeOptions,
  'enable-pprof': componentOptions['enable-pprof'],
  'kubelet-arg': argumentOptions['kubelet-arg'],
  'kube-proxy-arg': argumentOptions['kube-proxy-arg'],
  'profile': securityOptions.profile,
  'protect-kernel-defaults': securityOptions['protect-kernel-defaults'],
  'selinux': securityOptions.selinux,
};

export const agentConfig = declareOptions({ name: 'agent', options: agentOptions, rules: agentRules });
export type AgentConfig = Values<typeof agentConfig>;

/**
 * What is the same on every node of a cluster: servers compare it when they join, agents take it. A new setting of this kind is one line here.
 */
const clusterSettingOptions = {
  'cluster-cidr': rangeOptions['cluster-cidr'],
  'service-cidr': rangeOptions['service-cidr'],
  'service-node-port-range': rangeOptions['service-node-port-range'],
  'cluster-dns': rangeOptions['cluster-dns'],
  'cluster-domain': rangeOptions['cluster-domain'],
  'cni': networkOptions.cni,
  'flannel-backend': networkOptions['flannel-backend'],
  'disable-kube-proxy': componentOptions['disable-kube-proxy'],
  'egress-selector-mode': egressOptions['egress-selector-mode'],
};
const clusterSettingsSchema = z.object(clusterSettingOptions);
export type ClusterSettings = Readonly<z.output<typeof clusterSettingsSchema>>;
export const clusterSettingKeys = Object.keys(clusterSettingOptions) as readonly (keyof ClusterSettings)[];

/**
 * Checks settings that came over the network; keys of a newer server are passed over.
 * @throws the errors of zod
 */
export function parseClusterSettings(value: unknown): ClusterSettings {
  return z.parse(clusterSettingsSchema, value);
}

/** The part of a server's configuration that its agents take. */
export function clusterSettingsOf(config: ServerConfig): ClusterSettings {
  return parseClusterSettings(config);
}

/** What a node's own parts (container runtime, kubelet, kube-proxy, flannel) are rendered from, on servers and agents alike. */
export type NodeConfig = Pick<ServerConfig, keyof ServerConfig & (keyof AgentConfig | keyof ClusterSettings)>;

/** An agent's own settings and those of its cluster in one. */
export function nodeConfigOf(agent: AgentConfig, cluster: ClusterSettings): NodeConfig {
  return { ...agent, ...cluster };
}

/** The settings of a cluster whose servers were told nothing. */
export const defaultClusterSettings: ClusterSettings = z.parse(clusterSettingsSchema, {});
