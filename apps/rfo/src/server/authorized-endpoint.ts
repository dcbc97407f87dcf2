/**
 * The API server of this node asks this program for tokens of a manager, which has left hashes of them in the cluster: so kubectl goes on by them while
 * the manager is away. Nothing but the API server is answered.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@rfo/foundation';
import { followDirectUsers, type KubeClient, renderWebhookConfig, serveTokenReviews } from '@rfo/kube';
import { agentNamespace, type ServerConfig } from '@rfo/schema';
import type { RenderedFile, TaskComponent } from '../component/component.ts';
import type { Paths } from '../paths.ts';
import { serverPorts } from './inputs.ts';
import { rolesOf } from './roles.ts';

/** In the certificate that the API server shows; see the table of certificates. */
const apiserverName = 'system:apiserver';

/** Only where there is an API server to ask. */
export function hasEndpoint(config: ServerConfig): boolean {
  return config['authorized-endpoint'] && rolesOf(config).apiserver;
}

/** What kube-apiserver is told of it: no caching but its own of ten seconds, so that what is revoked is refused soon. */
export function endpointArguments(config: ServerConfig, paths: Paths): Readonly<Record<string, string>> {
  if (!hasEndpoint(config)) return {};
  return {
    'authentication-token-webhook-config-file': paths.server.tokenWebhook,
    'authentication-token-webhook-version': 'v1',
    'authentication-token-webhook-cache-ttl': '0s',
  };
}

/** The file that it reads for that. */
export function endpointFiles(config: ServerConfig, paths: Paths): RenderedFile[] {
  if (!hasEndpoint(config)) return [];
  const { tls } = paths.server;
  const content = renderWebhookConfig({
    port: serverPorts.tokenReviews,
    ca: { file: join(tls, 'server-ca.crt') },
    client: { cert: join(tls, 'client-kube-apiserver.crt'), key: join(tls, 'client-kube-apiserver.key') },
  });
  return [{ path: paths.server.tokenWebhook, content, mode: 0o600 }];
}

/** Answers while the node runs. It is started anew with a certificate that was renewed. */
export function endpointComponent(parts: { readonly paths: Paths; readonly client: KubeClient; readonly clock: Clock }): TaskComponent {
  const { paths, client, clock } = parts;
  return {
    kind: 'task',
    name: 'authorized-endpoint',
    needs: ['kube-apiserver'],
    run: async ({ life, log }) => {
      const read = (name: string): Promise<string> => readFile(join(paths.server.tls, name), 'utf8');
      const [cert, key, ca] = await Promise.all(['serving-kube-apiserver.crt', 'serving-kube-apiserver.key', 'client-ca.crt'].map(read));
      const users = followDirectUsers({ client, namespace: agentNamespace, life, log });
      const tls = { cert: cert ?? '', key: key ?? '', client: { ca: ca ?? '', commonName: apiserverName } };
      await serveTokenReviews({ users, host: '127.0.0.1', port: serverPorts.tokenReviews, tls, clock, life, log });
    },
  };
}
