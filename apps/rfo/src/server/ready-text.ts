import type { ServerInputs } from './inputs.ts';
import { serverPorts } from './inputs.ts';
import type { ManagerFacts } from './manager-facts.ts';

/** What somebody who started a node by hand wants to know next, within one screen. */
export function renderReady({ nodeName, nodeIp, config, paths }: ServerInputs): string {
  const address = addressOf({ config, nodeIp });
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
    ...(config.manager ? ['  manager      is starting; how to reach it follows'] : []),
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

/** What follows once the manager that runs here is ready too. */
export function renderManagerReady(inputs: Pick<ServerInputs, 'config' | 'nodeIp'>, facts: ManagerFacts): string {
  const { address, password } = facts;
  const here = `https://${addressOf(inputs)}:${inputs.config['manager-https-port']}`;
  return [
    '',
    // Several servers have one address in common, or the host has got another one since the manager was told by which it is known.
    `The manager is ready at ${address}${address === here ? '' : `, on this host at ${here}`}`,
    '',
    ...(password === undefined ? [] : [...firstSignIn(facts, password), '']),
    '',
  ].join('\n');
}

function addressOf({ config, nodeIp }: Pick<ServerInputs, 'config' | 'nodeIp'>): string {
  return config['bind-address'] === '0.0.0.0' ? nodeIp : config['bind-address'];
}

function firstSignIn({ address, pin, shown, namespace }: ManagerFacts, password: string): readonly string[] {
  if (shown) {
    return [
      'The first password of its administrator is unchanged. To read it:',
      '',
      `  npx rfo kubectl -n ${namespace} get secret rfo-administrator -o go-template='{{.data.password | base64decode}}{{"\\n"}}'`,
    ];
  }
  return [
    `Sign in as admin. The password ${password} is good once, and not shown again.`,
    '',
    `  npx rfo manager login ${address} -u admin${pin === undefined ? '' : ` --ca-pin ${pin}`}`,
  ];
}
