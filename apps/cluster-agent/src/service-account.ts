/** The agent's account in its own cluster: what the manager acts by. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, type Life, type Log } from '@rfo/foundation';
import { createKubeClient, type KubeClient } from '@rfo/kube';
import type { AgentCredentials } from '@rfo/schema';

/** The kubelet renews the token at four fifths of its time (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/). */
const lookEvery = 30_000;

export type ServiceAccount = {
  readonly apiServer: { readonly host: string; readonly port: number };
  readonly client: KubeClient;
  readonly credentials: () => AgentCredentials;
  /** Calls the listener when they have changed; gives the function that ends it. */
  readonly onChange: (listener: () => void) => () => void;
};

/** Throws agent-settings where this is no pod of a cluster. */
export async function openServiceAccount(input: {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** With `token` and `ca.crt`. */
  readonly folder: string;
  readonly life: Life;
  readonly log: Log;
}): Promise<ServiceAccount> {
  const { environment, folder, life, log } = input;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (!host) throw fail('agent-settings', { problem: 'KUBERNETES_SERVICE_HOST is not set: this is no pod of a cluster' });
  const files = { token: join(folder, 'token'), ca: join(folder, 'ca.crt') };
  const read = async (): Promise<AgentCredentials> => {
    const [token, ca] = await Promise.all([readFile(files.token, 'utf8'), readFile(files.ca, 'utf8')]);
    return { serviceAccountToken: token.trim(), ca };
  };
  let current = await read().catch((error: unknown) => {
    throw fail(
      'agent-settings',
      { problem: `the service account of this pod cannot be read: ${error instanceof Error ? error.message : error}` },
      error,
    );
  });
  const listeners = new Set<() => void>();
  const look = async (): Promise<void> => {
    const next = await read();
    if (next.serviceAccountToken === current.serviceAccountToken && next.ca === current.ca) return;
    current = next;
    for (const listener of listeners) listener();
  };
  const timer = setInterval(
    () => look().catch((error: unknown) => log.warn('the service account cannot be read again', { error })),
    lookEvery,
  );
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const client = createKubeClient({ server, ca: { file: files.ca }, token: { file: files.token } });
  life.defer(() => {
    clearInterval(timer);
    client.close();
  });
  return {
    apiServer: { host, port: Number(port) },
    client,
    credentials: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
