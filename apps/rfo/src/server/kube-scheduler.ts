import { join } from 'node:path';
import { type Arguments, renderArguments, tlsCipherSuites } from './arguments.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { controlPlaneKubeconfig } from './kubeconfigs.ts';

/** The arguments of kube-scheduler. */
export function kubeSchedulerArguments({ config, paths }: ServerInputs): string[] {
  const tls = paths.server.tls;
  const kubeconfig = controlPlaneKubeconfig(paths, 'scheduler');
  const defaults: Arguments = {
    'bind-address': '127.0.0.1',
    'secure-port': serverPorts.scheduler,
    'kubeconfig': kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'kube-api-qps': 200,
    'kube-api-burst': 400,
    'tls-cert-file': join(tls, 'kube-scheduler', 'kube-scheduler.crt'),
    'tls-private-key-file': join(tls, 'kube-scheduler', 'kube-scheduler.key'),
    'tls-min-version': 'VersionTLS12',
    'tls-cipher-suites': tlsCipherSuites.join(','),
    'profiling': config['enable-pprof'],
    ...(config.debug ? { v: 4 } : {}),
  };
  return renderArguments(defaults, config['kube-scheduler-arg']);
}
