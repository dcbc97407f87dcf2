// The options of the agent that connects a cluster to a manager. Where the manager is and the token stand in a Secret of its cluster.
import { declareOptions, type Values } from '../declaration.ts';
import { optionGroup, preset } from '../option.ts';
import { absolutePath, choice, numberType } from '../value-types.ts';
import { configOption, logOptions } from './program-options.ts';

export const clusterAgentConfig = declareOptions({
  name: 'cluster-agent',
  prefix: 'RFO_CLUSTER_AGENT_',
  options: {
    ...optionGroup('The cluster', {
      'via': preset(choice(['deployment', 'node']), 'deployment', {
        help: 'What of the cluster it is: node is the fallback on each node, which connects only while the deployment is away.',
      }),
      'service-account-dir': preset(absolutePath(), '/var/run/secrets/kubernetes.io/serviceaccount', {
        help: 'Directory with token and ca.crt of the account that the manager acts by in this cluster.',
        value: 'directory',
        path: true,
      }),
      'health-port': preset(numberType({ min: 0, max: 65_535, whole: true }), 8080, {
        help: 'Port of /healthz and /readyz, without TLS; 0: any that is free.',
      }),
    }),
    ...optionGroup('The program itself', {
      ...configOption('/etc/rancher/rfo/cluster-agent.yaml'),
      ...logOptions,
    }),
  },
});
export type ClusterAgentConfig = Values<typeof clusterAgentConfig>;
