import { join } from 'node:path';
import type { AgentInputs } from '../agent/inputs.ts';
import { systemImage } from '../agent/system-image.ts';
import { controlPlaneKubeconfig } from './kubeconfigs.ts';
import type { Findings } from './look.ts';

/** What the agent of a server's own node is rendered from: it uses the server's certificates and kubeconfigs. */
export function serverAgentInputs(findings: Pick<Findings, 'inputs' | 'host' | 'bundle'>, resolvConf: string): AgentInputs {
  const { inputs, host, bundle } = findings;
  const { paths, config, nodeName } = inputs;
  const tls = (name: string): string => join(paths.server.tls, name);
  return {
    ...{ config, paths, host, nodeName, resolvConf },
    nodeIps: host.nodeIps,
    clusterDns: [inputs.clusterDns],
    kubeconfigs: {
      kubelet: controlPlaneKubeconfig(paths, 'kubelet'),
      kubeProxy: controlPlaneKubeconfig(paths, 'kube-proxy'),
      flannel: controlPlaneKubeconfig(paths, 'rfo-controller'),
    },
    certs: { clientCa: tls('client-ca.crt'), servingKubeletCrt: tls('serving-kubelet.crt'), servingKubeletKey: tls('serving-kubelet.key') },
    images: { pause: systemImage(bundle.pauseImage, config['system-default-registry']) },
  };
}
