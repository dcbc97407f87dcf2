/**
 * A kubeconfig of clusters behind the manager (client-go's clientcmd/v1 Config): one context each, called like its cluster, by the address of the manager;
 * and one or more called `<cluster>-direct` where the cluster has an endpoint of its own, for when the manager is away.
 */
export type KubeconfigInput = {
  /** `https://host:port` of the manager. */
  readonly server: string;
  /** PEM of the manager's CA; undefined where hosts trust it already. */
  readonly ca: string | undefined;
  /** At least one; the first becomes the current context. */
  readonly clusters: readonly KubeconfigCluster[];
  /** A token to put into it; undefined: kubectl asks `rfo manager credential` for one each time. */
  readonly token: string | undefined;
};

export type KubeconfigCluster = {
  readonly name: string;
  /** Of this cluster alone, instead of that of all. */
  readonly token?: string | undefined;
  readonly direct?: Direct | undefined;
};

/** The API servers of a cluster: `https://host:port`, and PEM of their CA, undefined or empty where hosts trust it already. */
export type Direct = { readonly servers: readonly string[]; readonly ca: string | undefined };

type Named<Key extends string> = { readonly name: string } & Readonly<Record<Key, object>>;
export type Kubeconfig = {
  readonly 'apiVersion': 'v1';
  readonly 'kind': 'Config';
  readonly 'clusters': readonly Named<'cluster'>[];
  readonly 'users': readonly Named<'user'>[];
  readonly 'contexts': readonly Named<'context'>[];
  readonly 'current-context': string;
};

export function renderKubeconfig({ server, ca, clusters, token }: KubeconfigInput): Kubeconfig {
  const isShared = (cluster: KubeconfigCluster): boolean => token !== undefined && cluster.token === undefined;
  const userOf = (cluster: KubeconfigCluster): string => (isShared(cluster) ? 'rfo' : `rfo-${cluster.name}`);
  const names = new Set(clusters.map(({ name }) => name));
  const directName = (name: string, index: number): string => {
    const wanted = `${name}-direct${index === 0 ? '' : `-${index + 1}`}`;
    // Somebody may have called a cluster so.
    return names.has(wanted) ? directName(`${name}-direct`, index) : wanted;
  };
  const places = clusters.flatMap((cluster) => {
    const { name, direct } = cluster;
    const user = userOf(cluster);
    const servers = direct?.servers ?? [];
    return [
      { name, server: `${server}/k8s/clusters/${name}`, ca, user },
      ...servers.map((each, index) => ({ name: directName(name, index), server: each, ca: direct?.ca, user })),
    ];
  });
  const own = clusters.filter((cluster) => !isShared(cluster));
  return {
    'apiVersion': 'v1',
    'kind': 'Config',
    'clusters': places.map((place) => ({ name: place.name, cluster: { server: place.server, ...authority(place.ca) } })),
    'users': [
      ...(own.length < clusters.length ? [{ name: 'rfo', user: { token } }] : []),
      ...own.map((cluster) => ({
        name: userOf(cluster),
        user: cluster.token === undefined ? { exec: execOf(server, cluster.name) } : { token: cluster.token },
      })),
    ],
    'contexts': places.map(({ name, user }) => ({ name, context: { cluster: name, user } })),
    'current-context': clusters[0]?.name ?? '',
  };
}

function authority(ca: string | undefined): object {
  return ca === undefined || ca === '' ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
}

/** client.authentication.k8s.io/v1 ExecConfig. A token for one cluster alone is asked for: no cluster sees what opens another. */
function execOf(server: string, cluster: string): object {
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'rfo',
    args: ['manager', 'credential', '--server', server, '--cluster', cluster],
    installHint: `The program rfo has to be in PATH and signed in: rfo manager login ${server}`,
    interactiveMode: 'Never',
    provideClusterInfo: false,
  };
}
