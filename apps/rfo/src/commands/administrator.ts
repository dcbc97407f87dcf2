// How commands that change the cluster reach its API: as the administrator of the server that they run on.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, type Life, systemCode } from '@rfo/foundation';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@rfo/kube';
import type { Paths } from '../paths.ts';
import { controlPlaneKubeconfig } from '../server/kubeconfigs.ts';

/**
 * A client of the administrator, closed with the life, and the CA that `/cacerts` of this server serves.
 * @param command its name, for the error
 * @throws server-only, not-root, kubeconfig-invalid
 */
export async function connectAsAdministrator(
  command: string,
  { paths, life }: { readonly paths: Paths; readonly life: Life },
): Promise<{ readonly client: KubeClient; readonly caPem: string }> {
  const kubeconfig = controlPlaneKubeconfig(paths, 'admin');
  const [, caPem] = await Promise.all([kubeconfig, join(paths.server.tls, 'server-ca.crt')].map((file) => readOwn(file, command)));
  const client = createKubeClient(await loadKubeconfig(kubeconfig));
  life.defer(() => client.close());
  return { client, caPem: caPem ?? '' };
}

async function readOwn(file: string, command: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw fail('server-only', { command, file }, error);
    if (systemCode(error) === 'EACCES') throw fail('not-root', { what: `rfo ${command}` }, error);
    throw error;
  }
}
