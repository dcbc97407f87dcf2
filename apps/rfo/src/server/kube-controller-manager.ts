import { join } from 'node:path';
import { type Arguments, renderArguments, tlsCipherSuites } from './arguments.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { controlPlaneKubeconfig } from './kubeconfigs.ts';

/**
 * The arguments of kube-controller-manager. Its client limits are raised far above upstream's 20 requests a second: with those the
 * first Deployment of a new cluster waits four and a half seconds for nothing but the limiter.
 */
export function kubeControllerManagerArguments(inputs: ServerInputs): string[] {
  const { config, paths } = inputs;
  const tls = paths.server.tls;
  const kubeconfig = controlPlaneKubeconfig(paths, 'controller');
  const defaults: Arguments = {
    'bind-address': '127.0.0.1',
    'secure-port': serverPorts.controllerManager,
    'kubeconfig': kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'kube-api-qps': 200,
    'kube-api-burst': 400,
    'controllers': '*,tokencleaner',
    'allocate-node-cidrs': true,
    'cluster-cidr': config['cluster-cidr'],
    'service-cluster-ip-range': config['service-cidr'],
    'use-service-account-credentials': true,
    'service-account-private-key-file': join(tls, 'service.key'),
    'root-ca-file': join(tls, 'server-ca.crt'),
    ...signingArguments(tls),
    'terminated-pod-gc-threshold': 1000,
    'tls-cert-file': join(tls, 'kube-controller-manager', 'kube-controller-manager.crt'),
    'tls-private-key-file': join(tls, 'kube-controller-manager', 'kube-controller-manager.key'),
    'tls-min-version': 'VersionTLS12',
    'tls-cipher-suites': tlsCipherSuites.join(','),
    'profiling': config['enable-pprof'],
    ...(config.debug ? { v: 4 } : {}),
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
