import { list, optionGroup, preset } from '../option.ts';
import { choice, numberType, serverAddress } from '../value-types.ts';

/** How a node finds the cluster that it is to be part of. */
export const joinOptions = optionGroup('Joining', {
  'server': list(serverAddress(), {
    help: 'Servers of the cluster to join; one that answers is enough, the others are learned from it.',
    short: 's',
    value: 'https://host:9345',
    variables: ['RFO_URL'],
    split: true,
  }),
});

/** How an agent reaches the API servers. */
export const agentJoinOptions = optionGroup('Joining', {
  'lb-server-port': preset(numberType({ min: 1025, max: 65535, whole: true }), 6444, {
    help: 'Local port that leads to the supervisor of a living server; the port below it leads to an API server.',
    value: 'port',
  }),
});

/** How the API servers reach the nodes. */
export const egressOptions = optionGroup('Cluster', {
  'egress-selector-mode': preset(choice(['auto', 'agent', 'cluster', 'pod', 'disabled']), 'auto', {
    help: 'What API servers reach through the tunnels of the nodes: agent: kubelets; pod: pods on the node as well; cluster: every pod; disabled: nothing, all is dialled directly; auto: pod on a server with disable-agent, agent on the others.',
  }),
});
