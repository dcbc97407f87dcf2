import { join } from 'node:path';
import { type Arguments, renderArguments } from './arguments.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { controlLoopArguments } from './kube-control-loop.ts';

/** The arguments of kube-controller-manager. */
export function kubeControllerManagerArguments(inputs: ServerInputs): string[] {
  const { config, paths } = inputs;
  const tls = paths.server.tls;
  const defaults: Arguments = {
    ...controlLoopArguments(inputs, { name: 'kube-controller-manager', client: 'controller', port: serverPorts.controllerManager }),
    'controllers': '*,tokencleaner',
    'allocate-node-cidrs': true,
    'cluster-cidr': config['cluster-cidr'],
    'service-cluster-ip-range': config['service-cidr'],
    'use-service-account-credentials': true,
    'service-account-private-key-file': join(tls, 'service.key'),
    'root-ca-file': join(tls, 'server-ca.crt'),
    ...signingArguments(tls),
    'terminated-pod-gc-threshold': 1000,
  };
  return renderArguments(defaults, config['kube-controller-manager-arg']);
}

function signingArguments(tls: string): Arguments {
  const pair = (signer: string, ca: string): Arguments => ({
    [`cluster-signing-${signer}-cert-file`]: join(tls, `${ca}.crt`),
    [`cluster-signing-${signer}-key-file`]: join(tls, `${ca}.key`),
  });
  return {
    ...pair('kube-apiserver-client', 'client-ca'),
    ...pair('kubelet-client', 'client-ca'),
    ...pair('kubelet-serving', 'server-ca'),
    ...pair('legacy-unknown', 'client-ca'),
  };
}
