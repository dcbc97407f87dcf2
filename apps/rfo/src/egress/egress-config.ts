import type { ServerConfig } from '@rfo/schema';
import type { Paths } from '../paths.ts';

export type EgressMode = ServerConfig['egress-selector-mode'];

/**
 * What this server's own API server does, once it is known what else runs here: outside the pod network it cannot dial pods itself, so `auto`
 * takes it to them by their node's tunnel. Nodes are told `auto` as it is, as servers of both kinds may ask them.
 */
export function egressModeOf(config: Pick<ServerConfig, 'egress-selector-mode' | 'disable-agent'>): Exclude<EgressMode, 'auto'> {
  const mode = config['egress-selector-mode'];
  if (mode !== 'auto') return mode;
  return config['disable-agent'] ? 'pod' : 'agent';
}

/**
 * EgressSelectorConfiguration of kube-apiserver as JSON: what goes to kubelets, and to webhooks and aggregated APIs that are Services,
 * asks the socket for its connections. etcd, identity providers and webhooks named by URL are not named and stay untouched.
 */
export function renderEgressConfig(paths: Pick<Paths, 'egressSocket'>): string {
  const connection = { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: paths.egressSocket } } };
  const config = {
    // No later version has this kind.
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [{ name: 'cluster', connection }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
