/**
 * A kubeconfig of clusters behind the manager (client-go's clientcmd/v1 Config): one context each, called like its cluster. Every address is the
 * manager's, so that one CA is enough.
 */
export type KubeconfigInput = {
  /** `https://host:port` of the manager. */
  readonly server: string;
  /** PEM of the manager's CA; undefined where hosts trust it already. */
  readonly ca: string | undefined;
  /** At least one; the first becomes the current context. */
  readonly clusters: readonly string[];
  /** A token to put into it; undefined: kubectl asks `rfo manager credential` for one each time. */
  readonly token: string | undefined;
};

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
  const authority = ca === undefined || ca === '' ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const userOf = (cluster: string): string => (token === undefined ? `rfo-${cluster}` : 'rfo');
  return {
    'apiVersion': 'v1',
    'kind': 'Config',
    'clusters': clusters.map((name) => ({ name, cluster: { server: `${server}/k8s/clusters/${name}`, ...authority } })),
    'users':
      token === undefined
        ? clusters.map((cluster) => ({ name: userOf(cluster), user: { exec: execOf(server, cluster) } }))
        : [{ name: 'rfo', user: { token } }],
    'contexts': clusters.map((name) => ({ name, context: { cluster: name, user: userOf(name) } })),
    'current-context': clusters[0] ?? '',
  };
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
