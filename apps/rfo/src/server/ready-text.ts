import type { ServerInputs } from './inputs.ts';
import { serverPorts } from './inputs.ts';
import type { ManagerFacts } from './manager-facts.ts';

/**
 * What somebody who started a node by hand wants to know next, within one screen.
 * @param facts of the manager that runs here, where one does and they could be read
 */
export function renderReady({ nodeName, nodeIp, config, paths }: ServerInputs, facts?: ManagerFacts): string {
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
    ...(facts === undefined ? [] : managerAddresses(facts, `https://${address}:${config['manager-https-port']}`)),
    `  kubeconfig   ${config['write-kubeconfig']}`,
    `  data         ${config['data-dir']}`,
    '',
    '  npx rfo kubectl get nodes        the cluster (a second terminal, this folder)',
    '  npx rfo kubectl get pods -A',
    '  npx rfo check                    what this host has and lacks',
    '',
    ...(facts?.password === undefined ? [] : [...firstSignIn(facts, facts.password), '']),
    'Ctrl-C ends everything.',
    '',
  ].join('\n');
}

/** The host may have got another address since the manager was told by which one it is known. */
function managerAddresses({ address }: ManagerFacts, here: string): readonly string[] {
  return address === here ? [`  manager      ${address}`] : [`  manager      ${address}`, `               ${here} (this host)`];
}

function firstSignIn({ address, pin, shown }: ManagerFacts, password: string): readonly string[] {
  if (shown) {
    return [
      'The first password of the manager’s administrator is unchanged. To read it again:',
      '',
      `  npx rfo kubectl -n rfo-system get secret rfo-administrator -o go-template='{{.data.password | base64decode}}{{"\\n"}}'`,
    ];
  }
  return [
    `Sign in to the manager as admin. The password ${password} is good once, and not shown again.`,
    '',
    `  npx rfo manager login ${address} -u admin${pin === undefined ? '' : ` --ca-pin ${pin}`}`,
  ];
}
