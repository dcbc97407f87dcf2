/** What `rfo` tunes and hardens, so that the sides by hand can do without it: upstream's default flags. */

/**
 * Flags by component that are left out by hand. What stays is what the component cannot run without in this place: addresses, keys,
 * ranges, folders, and what the kernel of a test host refuses (conntrack, OOM score).
 */
const ours: Readonly<Record<string, readonly string[]>> = {
  'etcd': [
    'heartbeat-interval',
    'election-timeout',
    'snapshot-count',
    'quota-backend-bytes',
    'feature-gates',
    'cipher-suites',
    'tls-min-version',
    'listen-client-http-urls',
    'listen-metrics-urls',
    'logger',
    'log-level',
  ],
  'kube-apiserver': [
    'anonymous-auth',
    'admission-control-config-file',
    'audit-*',
    'encryption-provider-*',
    'enable-aggregator-routing',
    'profiling',
    'tls-cipher-suites',
    'tls-min-version',
  ],
  'kube-controller-manager': [
    'controllers',
    'kube-api-*',
    'terminated-pod-gc-threshold',
    'profiling',
    'tls-cipher-suites',
    'tls-min-version',
  ],
  'kube-scheduler': ['kube-api-*', 'profiling', 'tls-cipher-suites', 'tls-min-version'],
  'kube-proxy': ['kube-api-*', '*-min-sync-period', 'iptables-localhost-nodeports', 'nodeport-addresses', 'profiling'],
};

/** Removes from the arguments of a component what stands in the table for it. Arguments are `--name=value` or a bare `--name`. */
export function asByHand(component: string, args: readonly string[]): string[] {
  const patterns = (ours[component] ?? []).map((name) => new RegExp(`^${name.replaceAll('*', '.*')}$`));
  return args.filter((argument) => {
    const name = argument.replace(/^--/, '').split('=', 1)[0] ?? '';
    return !patterns.some((pattern) => pattern.test(name));
  });
}
