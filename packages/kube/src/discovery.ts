import { fail } from '@rfo/foundation';
import { isNotFound } from './api-status.ts';
import type { Kind } from './object.ts';
import { type ApiResource, groupVersionPath } from './resource-path.ts';

export type Discovery = {
  /** How the API serves a kind. A kind that is not known is asked for again: CRDs appear. Throws kube-kind-unknown. */
  readonly resourceOf: (kind: Kind) => Promise<ApiResource>;
};

type Resources = ReadonlyMap<string, ApiResource>;

/** @param get reads a path of the API as JSON */
export function createDiscovery(get: (path: string) => Promise<unknown>): Discovery {
  const known = new Map<string, Resources>();
  const asked = new Map<string, Promise<Resources>>();

  /** One question at a time for each group and version, whoever asks. */
  const ask = (apiVersion: string): Promise<Resources> => {
    const running = asked.get(apiVersion);
    if (running !== undefined) return running;
    const question = readGroupVersion(get, apiVersion)
      .then((resources) => {
        known.set(apiVersion, resources);
        return resources;
      })
      .finally(() => asked.delete(apiVersion));
    asked.set(apiVersion, question);
    return question;
  };

  return {
    resourceOf: async ({ apiVersion, kind }) => {
      const resource = known.get(apiVersion)?.get(kind) ?? (await ask(apiVersion)).get(kind);
      if (resource === undefined) throw fail('kube-kind-unknown', { kind, apiVersion });
      return resource;
    },
  };
}

async function readGroupVersion(get: (path: string) => Promise<unknown>, apiVersion: string): Promise<Resources> {
  try {
    return parseResources(apiVersion, await get(groupVersionPath(apiVersion)));
  } catch (error) {
    if (isNotFound(error)) return new Map();
    throw error;
  }
}

/** Reads a metav1.APIResourceList; subresources (`pods/log`) are left out. */
function parseResources(apiVersion: string, list: unknown): Resources {
  const { resources = [] } = list as { resources?: readonly { name: string; kind: string; namespaced: boolean }[] };
  return new Map(
    resources
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, kind, namespaced }) => [kind, { apiVersion, kind, plural: name, namespaced }]),
  );
}
