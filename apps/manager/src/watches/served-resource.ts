/** Finds out how a cluster serves a resource that is named as it stands in paths. */
import { fail } from '@rfo/foundation';
import type { ApiResource, KubeClient } from '@rfo/kube';

/** Names a resource: `{ group: 'apps', version: 'v1', resource: 'deployments' }`; the group of pods is empty. */
export type ResourceName = { readonly group: string; readonly version: string; readonly resource: string };

/** @throws resource-unknown, and what the API server or the way to it says */
export async function findServed(
  client: KubeClient,
  { group, version, resource }: ResourceName,
  { cluster, signal }: { readonly cluster: string; readonly signal: AbortSignal },
): Promise<ApiResource> {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const unknown = (problem: string): Error => fail('resource-unknown', { cluster, resource: `${resource} of ${apiVersion}`, problem });
  const path = group === '' ? `/api/${version}` : `/apis/${apiVersion}`;
  const { status, text } = await client.raw({ method: 'GET', path, signal });
  if (status === 404) throw unknown('it does not serve this group and version');
  if (status !== 200)
    throw fail('cluster-broke-off', { cluster, problem: `it does not tell what it serves (status ${status})` }, new Error(text));
  const { resources = [] } = JSON.parse(text) as { readonly resources?: readonly Served[] };
  const found = resources.find(({ name }) => name === resource);
  if (found === undefined) throw unknown('it does not serve it');
  if (!found.verbs.includes('list') || !found.verbs.includes('watch')) throw unknown('it cannot be listed and watched');
  return { apiVersion, kind: found.kind, plural: found.name, namespaced: found.namespaced };
}

/** A metav1.APIResource. */
type Served = { readonly name: string; readonly kind: string; readonly namespaced: boolean; readonly verbs: readonly string[] };
