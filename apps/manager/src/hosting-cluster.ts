// How the manager reaches the cluster that it runs in, whose API keeps all that it knows.
import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { fail, type Log, retry } from '@rfo/foundation';
import { type KubeClient, type KubeClientOptions, loadKubeconfig } from '@rfo/kube';

/** Where the kubelet puts the credentials of a pod's service account. */
const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * By the kubeconfig, or by the service account of the pod (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/).
 * @throws kubeconfig-invalid, manager-no-cluster
 */
export async function hostingCluster(given: {
  readonly kubeconfig: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
}): Promise<KubeClientOptions> {
  const { kubeconfig, env, folder = serviceAccount } = given;
  if (kubeconfig !== undefined) return await loadKubeconfig(kubeconfig);
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  const [token, ca] = [join(folder, 'token'), join(folder, 'ca.crt')];
  if (host === undefined || host === '' || !existsSync(token)) throw fail('manager-no-cluster', {});
  return { server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`, ca: { file: ca }, token: { file: token } };
}

/** Resolves when the API answers: a manager may be started before its cluster is up. Throws what no waiting mends, or the signal's reason. */
export async function awaitApi(client: KubeClient, { log, signal }: { readonly log: Log; readonly signal: AbortSignal }): Promise<void> {
  let told = false;
  await retry(() => client.resourceOf({ apiVersion: 'v1', kind: 'Namespace' }), {
    initial: 100,
    max: 3000,
    signal,
    onError: (error) => {
      if (!isPassing(error)) throw error;
      log[told ? 'debug' : 'warn']('the Kubernetes API is waited for', { server: client.server, error });
      told = true;
    },
  });
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && error.retryable === true;
}
