import type { ServerConfig } from '@rfo/schema';
import { egressModeOf } from '../egress/egress-config.ts';

/** What a server runs. What it does not run itself it reaches on the same local port, through a load balancer in front of the others. */
export type Roles = {
  readonly etcd: boolean;
  readonly apiserver: boolean;
  readonly controllerManager: boolean;
  readonly scheduler: boolean;
  /** Container runtime and kubelet: without them the server is no node. */
  readonly agent: boolean;
};

type RoleSettings = Pick<
  ServerConfig,
  'disable-etcd' | 'disable-apiserver' | 'disable-controller-manager' | 'disable-scheduler' | 'disable-agent'
>;

export function rolesOf(config: RoleSettings): Roles {
  const apiserver = !config['disable-apiserver'];
  return {
    etcd: !config['disable-etcd'],
    apiserver,
    controllerManager: apiserver && !config['disable-controller-manager'],
    scheduler: apiserver && !config['disable-scheduler'],
    agent: !config['disable-agent'],
  };
}

/** The component that is ready when etcd can be used on 127.0.0.1:2379. */
export function etcdPart({ etcd }: Pick<Roles, 'etcd'>): 'etcd' | 'etcd-balancer' {
  return etcd ? 'etcd' : 'etcd-balancer';
}

/** The component that is ready when the API can be used on port 6443 of this host. */
export function apiPart({ apiserver }: Pick<Roles, 'apiserver'>): 'kube-apiserver' | 'api-balancer' {
  return apiserver ? 'kube-apiserver' : 'api-balancer';
}

type Notice = { readonly level: 'info' | 'warn'; readonly text: string };

/** What of its role a server is told at its start, one sentence each. */
export function roleNotices(config: RoleSettings & Pick<ServerConfig, 'egress-selector-mode' | 'cluster-cidr'>): readonly Notice[] {
  const { agent, apiserver } = rolesOf(config);
  if (agent || !apiserver) return [];
  const mode = egressModeOf(config);
  if (mode === 'agent') {
    const problem = 'this server is no node, so its API server cannot reach Services';
    const cure = 'webhooks and aggregated APIs such as metrics need egress-selector-mode auto, pod or cluster (it is agent)';
    return [{ level: 'warn', text: `${problem}: ${cure}` }];
  }
  const text =
    mode === 'disabled'
      ? `this server is no node and uses no tunnels: it reaches kubelets, webhooks and aggregated APIs by the routes of this host to the nodes and to ${config['cluster-cidr']}`
      : 'this server is no node: its API server reaches kubelets and pods through the tunnels of the nodes';
  return [{ level: 'info', text }];
}
