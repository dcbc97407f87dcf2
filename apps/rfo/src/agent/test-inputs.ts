/** Inputs of an installed node on an ordinary host, for tests; each test says what differs. */
import { type ServerConfig, serverConfigOf } from '@rfo/schema';
import type { NeededPort } from '../host/check/finding.ts';
import { serverPortsOf } from '../host/check/ports.ts';
import type { HostFacts } from '../host/facts.ts';
import { nodePaths } from '../paths.ts';
import type { AgentInputs } from './inputs.ts';

const host: HostFacts = {
  hostname: 'node-1',
  nodeName: 'node-1',
  nodeIps: ['192.0.2.11'],
  nodeIp: '192.0.2.11',
  iface: 'eth0',
  overlayIp: '192.0.2.11',
  kernel: { release: '6.6.0', major: 6, minor: 6 },
  cgroup: 'v2',
  cgroupControllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
  cgroupDriver: 'systemd',
  canRaiseOom: true,
  nftables: { ok: true },
  iptables: { ok: true },
  overlayfs: { ok: true },
  conntrackWritable: true,
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
};

export function testInputs(
  given: { config?: Parameters<typeof serverConfigOf>[0]; host?: Partial<HostFacts>; dataDir?: string; runDir?: string } = {},
): AgentInputs & { readonly config: ServerConfig; readonly ports: readonly NeededPort[] } {
  const config: ServerConfig = serverConfigOf(given.config);
  const dataDir = given.dataDir ?? '/var/lib/rancher/rfo';
  const cred = `${dataDir}/server/cred`;
  return {
    config,
    ports: serverPortsOf(config),
    paths: nodePaths({ dataDir, runDir: given.runDir ?? '/run/rfo', etcDir: '/etc/rancher' }),
    host: { ...host, ...given.host },
    nodeName: 'node-1',
    nodeIps: ['192.0.2.11'],
    clusterDns: ['10.43.0.10'],
    resolvConf: '/etc/resolv.conf',
    kubeconfigs: {
      kubelet: `${cred}/kubelet.kubeconfig`,
      kubeProxy: `${cred}/kube-proxy.kubeconfig`,
      flannel: `${cred}/flannel.kubeconfig`,
    },
    certs: { clientCa: '/tls/client-ca.crt', servingKubeletCrt: '/tls/serving-kubelet.crt', servingKubeletKey: '/tls/serving-kubelet.key' },
    images: { pause: 'rfo.io/pause:3.10.2' },
  };
}
