import type { ServerInputs } from './inputs.ts';
import { serverPorts } from './inputs.ts';

/** What somebody who started a node by hand wants to know next, within one screen. */
export function renderReady({ nodeName, nodeIp, config, paths }: ServerInputs): string {
  const address = config['bind-address'] === '0.0.0.0' ? nodeIp : config['bind-address'];
  if (config['disable-apiserver']) {
    return `\nNode ${nodeName} runs etcd; servers join it at https://${address}:${serverPorts.supervisor}\nwith the token in ${paths.server.nodeToken}.\n\nCtrl-C ends everything.\n\n`;
  }
  return [
    '',
    ...(config['disable-agent']
      ? [
          `The control plane is ready on ${nodeName}, which is no node itself. Nodes join it at`,
          `https://${address}:${serverPorts.supervisor} with the token in ${paths.server.nodeToken}.`,
        ]
      : [`Kubernetes is ready on node ${nodeName}.`]),
    '',
    `  API          https://${address}:${serverPorts.apiserver}`,
    `  kubeconfig   ${config['write-kubeconfig']}`,
    `  data         ${config['data-dir']}`,
    '',
    '  npx rfo kubectl get nodes        the cluster (a second terminal, this folder)',
    '  npx rfo kubectl get pods -A',
    '  npx rfo check                    what this host has and lacks',
    '',
    'Ctrl-C ends everything.',
    '',
  ].join('\n');
}
