/** The kubeconfigs of a node's own clients, which reach an API server through the local load balancer. */
import { join } from 'node:path';
import { writeFileIfChanged } from '@rfo/foundation';
import { CertificateStore } from '../certificates/store.ts';
import { kubeconfigJson } from '../kubeconfig.ts';
import type { Paths } from '../paths.ts';

/** Each has `client-<name>.crt` in `agent.tls` and `<name>.kubeconfig` in `agent.root`. */
const nodeClients = ['kubelet', 'kube-proxy', 'rfo-controller'] as const;
export type NodeClient = (typeof nodeClients)[number];

/** Path of a client's kubeconfig on a node without a control plane. */
export function nodeKubeconfig(paths: Paths, client: NodeClient): string {
  return join(paths.agent.root, `${client}.kubeconfig`);
}

/** Names the certificate files, so that client-go reloads them when they are renewed. @param port where the load balancer leads to an API server */
function renderNodeKubeconfig(paths: Paths, { client, port }: { readonly client: NodeClient; readonly port: number }): string {
  const files = new CertificateStore(paths.agent.tls);
  return kubeconfigJson({
    cluster: { 'server': `https://127.0.0.1:${port}`, 'certificate-authority': files.certificateFile('server-ca') },
    user: { 'client-certificate': files.certificateFile(`client-${client}`), 'client-key': files.keyFile(`client-${client}`) },
  });
}

/**
 * Writes them all, mode 0600.
 * @param lbServerPort port of the load balancer that leads to supervisors; the one below it leads to API servers
 */
export async function writeNodeKubeconfigs(paths: Paths, lbServerPort: number): Promise<void> {
  const write = (client: NodeClient): Promise<boolean> =>
    writeFileIfChanged(nodeKubeconfig(paths, client), renderNodeKubeconfig(paths, { client, port: lbServerPort - 1 }), 0o600);
  await Promise.all(nodeClients.map(write));
}
