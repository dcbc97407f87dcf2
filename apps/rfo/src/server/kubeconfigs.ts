import { chown, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomic, writeFileIfChanged } from '@rfo/foundation';
import type { ServerConfig } from '@rfo/schema';
import { groupId } from '../host/group.ts';
import { kubeconfigJson } from '../kubeconfig.ts';
import type { Paths } from '../paths.ts';
import { apiserverHost, serverPorts } from './inputs.ts';

/** The clients that run beside the API server; each has `client-<name>.crt` and `<name>.kubeconfig`. */
export const kubeconfigClients = [
  'admin',
  'supervisor',
  'controller',
  'scheduler',
  'kube-proxy',
  'kubelet',
  'rfo-controller',
  'manager',
] as const;
export type KubeconfigClient = (typeof kubeconfigClients)[number];

type KubeconfigInputs = { readonly config: ServerConfig; readonly paths: Paths };

/** Path of a client's kubeconfig on a server. */
export function controlPlaneKubeconfig(paths: Paths, client: KubeconfigClient): string {
  return join(paths.server.cred, `${client}.kubeconfig`);
}

/** A kubeconfig that names its certificate files, so that client-go reloads them when they are renewed. */
function renderKubeconfig({ config, paths }: KubeconfigInputs, client: KubeconfigClient): string {
  const tls = paths.server.tls;
  return kubeconfigJson({
    cluster: { 'server': `https://${apiserverHost(config)}:${serverPorts.apiserver}`, 'certificate-authority': join(tls, 'server-ca.crt') },
    user: { 'client-certificate': join(tls, `client-${client}.crt`), 'client-key': join(tls, `client-${client}.key`) },
  });
}

/** Writes the kubeconfigs of all local clients, mode 0600. */
export async function writeKubeconfigs(inputs: KubeconfigInputs): Promise<void> {
  await Promise.all(
    kubeconfigClients.map((client) =>
      writeFileIfChanged(controlPlaneKubeconfig(inputs.paths, client), renderKubeconfig(inputs, client), 0o600),
    ),
  );
}

/**
 * Writes the administrator's kubeconfig with everything inside, so that it can be copied to another machine.
 * @throws group-unknown
 */
export async function writeAdminKubeconfig({ config, paths }: KubeconfigInputs): Promise<void> {
  const file = config['write-kubeconfig'];
  const group = config['write-kubeconfig-group'];
  const gid = group === undefined ? undefined : await groupId(group);
  const read = async (name: string): Promise<string> => (await readFile(join(paths.server.tls, name))).toString('base64');
  const [ca, certificate, key] = await Promise.all([read('server-ca.crt'), read('client-admin.crt'), read('client-admin.key')]);
  // Others than root may be meant to read it: they must be able to enter.
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  await writeFileAtomic(
    file,
    [
      'apiVersion: v1',
      'kind: Config',
      'clusters:',
      '- name: default',
      '  cluster:',
      `    certificate-authority-data: ${ca}`,
      `    server: https://${apiserverHost(config)}:${serverPorts.apiserver}`,
      'users:',
      '- name: default',
      '  user:',
      `    client-certificate-data: ${certificate}`,
      `    client-key-data: ${key}`,
      'contexts:',
      '- name: default',
      '  context:',
      '    cluster: default',
      '    user: default',
      'current-context: default',
      '',
    ].join('\n'),
    config['write-kubeconfig-mode'],
  );
  if (gid !== undefined) await chown(file, process.getuid?.() ?? 0, gid);
}
