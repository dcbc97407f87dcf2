// How the manager tells of the resources of a cluster, and its command line understands it.
import * as z from 'zod/mini';

/** A resource that a cluster has, in the version that it prefers; the group without a name is written `core`. */
export const servedResource = z.object({
  group: z.string(),
  version: z.string(),
  resource: z.string(),
  kind: z.string(),
  singular: z.string(),
  shortNames: z.array(z.string()),
  namespaced: z.boolean(),
});
