/** kube-proxy's arguments. Arguments and no configuration file, because beside a file kube-proxy ignores arguments, and with them `kube-proxy-arg`. */
import { renderArguments } from '../server/arguments.ts';
import { type AgentInputs, agentPorts, proxyMode } from './inputs.ts';

/** The arguments of kube-proxy. */
export function kubeProxyArguments(inputs: AgentInputs): string[] {
  const { config, host, nodeName, kubeconfigs } = inputs;
  const mode = proxyMode(inputs);
  return renderArguments(
    {
      'kubeconfig': kubeconfigs.kubeProxy,
      'hostname-override': nodeName,
      'proxy-mode': mode,
      'cluster-cidr': config['cluster-cidr'],
      'healthz-bind-address': `127.0.0.1:${agentPorts.kubeProxyHealth}`,
      'metrics-bind-address': `127.0.0.1:${agentPorts.kubeProxyMetrics}`,
      // NodePorts on every address of the host but loopback, alike in both modes (each has its own default). Loopback would need route_localnet,
      // which opens the host's own services to its neighbours.
      'nodeport-addresses': '0.0.0.0/0',
      ...(mode === 'iptables' ? { 'iptables-localhost-nodeports': false } : {}),
      // Both modes take it. The default of a second delays each change of a Service; nftables changes only what differs and can be quicker.
      'iptables-min-sync-period': mode === 'nftables' ? '100ms' : '500ms',
      'kube-api-qps': 50,
      'kube-api-burst': 100,
      // In a network namespace of its own the table's size is the host's to set: kube-proxy would end itself over it.
      ...(host.conntrackWritable ? {} : { 'conntrack-max-per-core': 0 }),
      ...(host.canRaiseOom ? {} : { 'oom-score-adj': 0 }),
      'profiling': config['enable-pprof'],
      ...(config.debug ? { v: 4 } : {}),
    },
    config['kube-proxy-arg'],
  );
}

/** Where kube-proxy answers health checks, also when `kube-proxy-arg` moved it; undefined when that turned it off. */
export function kubeProxyHealth(config: Pick<AgentInputs['config'], 'kube-proxy-arg'>): { host: string; port: number } | undefined {
  const given = config['kube-proxy-arg']
    .map((argument) => /^-*healthz-bind-address=(.*)$/.exec(argument)?.[1])
    .findLast((value) => value !== undefined);
  if (given === undefined) return { host: '127.0.0.1', port: agentPorts.kubeProxyHealth };
  if (given === '') return undefined;
  const [, host = given, port] = /^(.*):(\d+)$/.exec(given) ?? [];
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host, port: Number(port ?? agentPorts.kubeProxyHealth) };
}
