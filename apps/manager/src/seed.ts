// What there has to be in the hosting cluster before the manager can serve.
import { isAlreadyExists, type KubeClient } from '@rfo/kube';
import { settingNames } from './clusters/agent-settings.ts';
import type { Objects } from './objects/open-objects.ts';

type Signal = { readonly signal: AbortSignal };

/** The namespace of the manager's Secrets and Leases. */
export async function ensureNamespace(client: KubeClient, name: string, options: Signal): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name };
  // Only then does it need the right to make namespaces.
  if ((await client.find(ref, options)) !== undefined) return;
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, options).catch(unlessThere);
}

/** The address that the configuration names becomes the setting where there is none: from then on the setting counts. */
export async function ensureServerUrl(objects: Objects, url: string | undefined, options: Signal): Promise<void> {
  if (url === undefined || (await objects.settings.find(settingNames.url, options)) !== undefined) return;
  await objects.settings
    .create({ metadata: { name: settingNames.url }, spec: { value: url.replace(/\/+$/, '') } }, options)
    .catch(unlessThere);
}

/** Another replica was quicker. */
function unlessThere(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}
