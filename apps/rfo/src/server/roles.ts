import type { ServerConfig } from '@rfo/schema';

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

/** What of its role a server is told of at its start, one sentence each. */
export function roleNotices(config: RoleSettings & Pick<ServerConfig, 'egress-selector-mode'>): readonly string[] {
  const { agent, apiserver } = rolesOf(config);
  const mode = config['egress-selector-mode'];
  const reaches = agent || !apiserver || mode === 'cluster' || mode === 'pod';
  return reaches
    ? []
    : [
        `this server is no node, so its API server cannot reach Services: webhooks and aggregated APIs such as metrics need egress-selector-mode cluster or pod (it is ${mode})`,
      ];
}
