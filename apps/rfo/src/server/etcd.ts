import { join } from 'node:path';
import { firstMembership, type Membership } from '../etcd-cluster/membership.ts';
import { type Arguments, renderArguments, tlsCipherSuites } from './arguments.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';

/**
 * The arguments of etcd 3.6, by default as the first member of a new cluster. gRPC and the JSON gateway listen apart (2379, 2382), because
 * an HTTP client on the shared port can starve watches under TLS.
 */
export function etcdArguments(inputs: ServerInputs, membership: Membership = firstMembership(inputs)): string[] {
  const { paths, config, nodeIp } = inputs;
  const { name, initialCluster, state, alone } = membership;
  const tls = paths.server.etcdTls;
  const urls = (port: number): string => ['127.0.0.1', nodeIp].map((host) => `https://${host}:${port}`).join(',');
  const peer = `https://${nodeIp}:${serverPorts.etcdPeer}`;
  const defaults: Arguments = {
    name,
    'data-dir': paths.server.etcd,
    'listen-client-urls': urls(serverPorts.etcdClient),
    'listen-client-http-urls': `https://127.0.0.1:${serverPorts.etcdHttp}`,
    'advertise-client-urls': `https://${nodeIp}:${serverPorts.etcdClient}`,
    'listen-peer-urls': urls(serverPorts.etcdPeer),
    'initial-advertise-peer-urls': peer,
    'initial-cluster': initialCluster,
    'initial-cluster-state': state,
    'listen-metrics-urls': metricsUrls(inputs),
    'client-cert-auth': true,
    'trusted-ca-file': join(tls, 'server-ca.crt'),
    'cert-file': join(tls, 'server-client.crt'),
    'key-file': join(tls, 'server-client.key'),
    'peer-client-cert-auth': true,
    'peer-trusted-ca-file': join(tls, 'peer-ca.crt'),
    'peer-cert-file': join(tls, 'peer-server-client.crt'),
    'peer-key-file': join(tls, 'peer-server-client.key'),
    'cipher-suites': tlsCipherSuites.join(','),
    ...(alone ? singleMemberTimers : memberTimers),
    'snapshot-count': 10000,
    'quota-backend-bytes': 8 * 1024 ** 3,
    'feature-gates': 'InitialCorruptCheck=true',
    'logger': 'zap',
    'log-level': config.debug ? 'debug' : 'warn',
  };
  return renderArguments(defaults, config['etcd-arg']);
}

/**
 * A lone member has nobody to lose messages to, yet waits a random one to two election timeouts before it elects itself: with these at most
 * 0.3 s at every start instead of 1 s. Shorter ones cost more than they gain, as each tick takes the processor (docs/decisions/0005).
 */
const singleMemberTimers = { 'heartbeat-interval': 60, 'election-timeout': 300 } as const;

/** etcd's own defaults. Members of one cluster may differ for a while: none asks for votes as long as the others hear the leader. */
const memberTimers = { 'heartbeat-interval': 100, 'election-timeout': 1000 } as const;

function metricsUrls({ config, nodeIp }: ServerInputs): string {
  const hosts = config['etcd-expose-metrics'] ? ['127.0.0.1', nodeIp] : ['127.0.0.1'];
  return hosts.map((host) => `http://${host}:${serverPorts.etcdMetrics}`).join(',');
}
