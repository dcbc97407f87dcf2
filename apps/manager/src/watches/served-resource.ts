/** Finds out what a cluster serves, and how a resource that is named as in the paths of its API is served. */
import { fail } from '@rfo/foundation';
import type { ApiResource, KubeClient } from '@rfo/kube';

/** Names a resource: `{ group: 'apps', version: 'v1', resource: 'deployments' }`; the group of pods is empty. */
export type ResourceName = { readonly group: string; readonly version: string; readonly resource: string };

/** A resource that can be listed and watched, as the cluster calls it. */
export type ServedResource = ResourceName & {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly singular: string;
  readonly shortNames: readonly string[];
};

type Where = { readonly cluster: string; readonly signal: AbortSignal };

/** @throws resource-unknown, cluster-broke-off, and what the way to the API server says */
export async function findServed(
  client: KubeClient,
  { group, version, resource }: ResourceName,
  { cluster, signal }: Where,
): Promise<ApiResource> {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const unknown = (problem: string): Error => fail('resource-unknown', { cluster, resource: `${resource} of ${apiVersion}`, problem });
  const path = group === '' ? `/api/${version}` : `/apis/${apiVersion}`;
  const { status, text } = await client.raw({ method: 'GET', path, signal });
  if (status === 404) throw unknown('it does not serve this group and version');
  if (status !== 200) throw unread(cluster, status, text);
  const { resources = [] } = JSON.parse(text) as { readonly resources?: readonly Listed[] };
  const found = resources.find(({ name }) => name === resource);
  if (found === undefined) throw unknown('it does not serve it');
  if (!canBeFollowed(found.verbs)) throw unknown('it cannot be listed and watched');
  return { apiVersion, kind: found.kind, plural: found.name, namespaced: found.namespaced };
}

/** A metav1.APIResource. */
type Listed = { readonly name: string; readonly kind: string; readonly namespaced: boolean; readonly verbs: readonly string[] };

/** `application/json` alone is what servers before Kubernetes 1.27 would answer: they are refused below. */
const aggregated = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(',');

/**
 * Everything that can be listed and watched, each in the version that the cluster prefers, the groups in its order.
 * Format: apidiscovery.k8s.io, https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
 * @throws cluster-broke-off, and what the way to the API server says
 */
export async function listServed(client: KubeClient, { cluster, signal }: Where): Promise<readonly ServedResource[]> {
  const groups = await Promise.all(['/api', '/apis'].map((path) => readGroups(client, path, { cluster, signal })));
  return groups.flat().flatMap(({ metadata: { name: group = '' }, versions = [] }) => {
    const seen = new Set<string>();
    return versions.flatMap(({ version, resources = [] }) =>
      resources.flatMap(({ resource, responseKind, scope, verbs, singularResource = '', shortNames = [] }) => {
        if (seen.has(resource) || !canBeFollowed(verbs)) return [];
        seen.add(resource);
        const { kind } = responseKind;
        return [
          {
            group,
            version,
            resource,
            kind,
            namespaced: scope === 'Namespaced',
            singular: singularResource || kind.toLowerCase(),
            shortNames,
          },
        ];
      }),
    );
  });
}

/** An APIGroupDiscovery. */
type Group = {
  readonly metadata: { readonly name?: string };
  readonly versions?: readonly {
    readonly version: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly responseKind: { readonly kind: string };
      readonly scope: string;
      readonly verbs: readonly string[];
      readonly singularResource?: string;
      readonly shortNames?: readonly string[];
    }[];
  }[];
};

async function readGroups(client: KubeClient, path: string, { cluster, signal }: Where): Promise<readonly Group[]> {
  const { status, text } = await client.raw({ method: 'GET', path, headers: { accept: aggregated }, signal });
  if (status !== 200) throw unread(cluster, status, text);
  const { kind, items } = JSON.parse(text) as { readonly kind: string; readonly items?: readonly Group[] };
  if (kind !== 'APIGroupDiscoveryList' || items === undefined) throw unread(cluster, status, text);
  return items;
}

function canBeFollowed(verbs: readonly string[]): boolean {
  return verbs.includes('list') && verbs.includes('watch');
}

function unread(cluster: string, status: number, text: string): Error {
  return fail(
    'cluster-broke-off',
    { cluster, problem: `it does not tell what it serves (status ${status})` },
    new Error(text.slice(0, 2000)),
  );
}
