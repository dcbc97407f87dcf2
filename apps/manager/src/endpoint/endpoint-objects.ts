/** What the manager puts into a cluster so that its API servers know tokens, and how it finds out where they are. */
import {
  directUsersLabel,
  type KubeClient,
  type KubeObject,
  readEntries,
  renderEntries,
  renderWebhookConfig,
  type Secret,
  secretKind,
} from '@rfo/kube';
import { agentNamespace, endpointPort, endpointSecret } from '@rfo/schema';
import { planServing } from '../serving/plan.ts';

const labelSelector = `${directUsersLabel.name}=${directUsersLabel.value}`;
const serving = { ...secretKind, namespace: agentNamespace, name: endpointSecret.name };

type Signal = { readonly signal: AbortSignal };

/** Names and contents of the Secrets of people that are there. Throws what the API says. */
export async function readDirectUsers(client: KubeClient, { signal }: Signal): Promise<Map<string, string>> {
  const { items } = await client.list<Secret>(secretKind, { namespace: agentNamespace, labelSelector, signal });
  return new Map(items.map((secret) => [secret.metadata.name, contentOf(secret)]));
}

/** Tells one content of such a Secret from another. */
export function contentOf({ type, data = {} }: Secret): string {
  return JSON.stringify([type, data]);
}

/**
 * Makes the certificate by which the agents of the control plane answer their API servers, and renews it under the same CA: the file that the API
 * servers are given stays good. Throws what the API says, and authority-unusable where somebody has broken the Secret.
 */
export async function ensureServing(client: KubeClient, { now, signal }: Signal & { readonly now: number }): Promise<void> {
  const found = await client.find<Secret>(serving, { signal });
  const held = found && readEntries(found);
  const where = `Secret ${agentNamespace}/${endpointSecret.name}`;
  const { pems, reason } = planServing({ held, names: ['localhost', '127.0.0.1'], now, where });
  if (reason === undefined) return;
  const config = renderWebhookConfig({ port: endpointPort, ca: { pem: pems['ca.crt'] } });
  const { namespace, name } = serving;
  const data = renderEntries({ ...pems, [endpointSecret.keys.config]: config });
  await client.apply(
    { ...secretKind, metadata: { name, namespace }, type: 'Opaque', data },
    { fieldManager: 'rfo-manager', force: true, signal },
  );
}

/** Takes everything away again. Throws what the API says. */
export async function removeEndpoint(client: KubeClient, { signal }: Signal): Promise<void> {
  const { items } = await client.list(secretKind, { namespace: agentNamespace, labelSelector, signal });
  for (const { metadata } of items) await client.delete({ ...secretKind, namespace: agentNamespace, name: metadata.name }, { signal });
  await client.delete(serving, { signal });
}

type Slice = KubeObject & {
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
  readonly ports?: readonly { readonly port?: number }[];
};

/** Where the API servers of a cluster say that they are, `https://host:port`. Throws what the API says. */
export async function findApiServers(client: KubeClient, { signal }: Signal): Promise<string[]> {
  const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
  const selection = { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' };
  const { items } = await client.list<Slice>(kind, { ...selection, signal });
  const servers = items.flatMap(({ endpoints, ports }) =>
    (endpoints ?? []).flatMap(({ addresses }) =>
      addresses.flatMap((host) => (ports ?? []).map(({ port }) => `https://${host.includes(':') ? `[${host}]` : host}:${port ?? 443}`)),
    ),
  );
  return [...new Set(servers)].sort();
}
