/** flannel's network configuration, arguments and environment. */
import { type AgentInputs, proxyMode } from './inputs.ts';

/** flannel's net-conf.json. */
export function renderFlannelNetConf(inputs: Pick<AgentInputs, 'config' | 'host'>): string {
  return `${JSON.stringify({
    Network: inputs.config['cluster-cidr'],
    EnableNFTables: proxyMode(inputs) === 'nftables',
    Backend: { Type: inputs.config['flannel-backend'] },
  })}\n`;
}

/** The arguments of flanneld. */
export function flannelArguments({
  config,
  paths,
  host,
  kubeconfigs,
}: Pick<AgentInputs, 'config' | 'paths' | 'host' | 'kubeconfigs'>): string[] {
  return [
    '--kube-subnet-mgr',
    `--kubeconfig-file=${kubeconfigs.flannel}`,
    // By its address: of several on one interface flannel would take the first, and what runs must not be taken over when the address changes.
    `--iface=${host.overlayIp ?? config['flannel-iface'] ?? host.iface}`,
    '--ip-masq',
    `--net-config-path=${paths.agent.flannelNetConf}`,
    `--subnet-file=${paths.agent.flannelSubnet}`,
    '--healthz-port=0',
  ];
}
