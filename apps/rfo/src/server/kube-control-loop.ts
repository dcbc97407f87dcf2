import { join } from 'node:path';
import { type Arguments, tlsCipherSuites } from './arguments.ts';
import type { ServerInputs } from './inputs.ts';
import { controlPlaneKubeconfig, type KubeconfigClient } from './kubeconfigs.ts';

/** A process of the control plane that only watches and writes through the API: kube-controller-manager, kube-scheduler. */
export type ControlLoop = { readonly name: string; readonly client: KubeconfigClient; readonly port: number };

/**
 * The arguments that all of them take: health and metrics on loopback alone, one identity, and client limits far above upstream's (20 and 50
 * requests a second): with those the first Deployment of a new cluster waits four and a half seconds for nothing but the limiter.
 */
export function controlLoopArguments({ config, paths }: ServerInputs, { name, client, port }: ControlLoop): Arguments {
  const kubeconfig = controlPlaneKubeconfig(paths, client);
  const pair = join(paths.server.tls, name, name);
  return {
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'kubeconfig': kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'kube-api-qps': 200,
    'kube-api-burst': 400,
    'tls-cert-file': `${pair}.crt`,
    'tls-private-key-file': `${pair}.key`,
    'tls-min-version': 'VersionTLS12',
    'tls-cipher-suites': tlsCipherSuites.join(','),
    'profiling': config['enable-pprof'],
    ...(config.debug ? { v: 4 } : {}),
  };
}
