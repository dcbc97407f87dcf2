/** Decides whether somebody may enter a cluster, and as which groups. */
import type { Caller } from '../identity/caller.ts';
import { everybody, globalGroup, projectGroup } from './names.ts';
import type { Place } from './places.ts';
import { globalRolesOf, type Policy, subjectsOf } from './policy.ts';

export type Entry = { readonly groups: readonly string[] };

/**
 * The groups to impersonate for the caller in a cluster; undefined: nothing there is for him.
 * @param namespace of the request, where it is about one: then only groups that have rights in it are given, so that what was taken away is
 *   gone with the next request, whether or not the cluster has heard of it
 */
export function enter(
  policy: Policy,
  caller: Pick<Caller, 'user' | 'groups' | 'token'>,
  cluster: string,
  namespace?: string,
): Entry | undefined {
  const { token } = caller;
  if (token.clusters !== undefined && !token.clusters.includes(cluster)) return undefined;
  const globals = globalRolesOf(policy, caller);
  const reaches = [...globals].some((role) => policy.reaching.has(role));
  const places = projectGroups(policy, caller, cluster);
  if (!reaches && places.size === 0) return undefined;
  const groups = [...places].filter(([, { place }]) => namespace === undefined || place === 'whole' || place.has(namespace));
  return { groups: [...everybody, ...[...globals].map(globalGroup), ...groups.map(([group]) => group)] };
}

function projectGroups(policy: Policy, caller: Pick<Caller, 'user' | 'groups'>, cluster: string) {
  const found = new Map<string, { readonly place: Place }>();
  const here = policy.projectsIn.get(cluster);
  if (here === undefined) return found;
  for (const subject of subjectsOf(caller)) {
    const memberships = policy.memberships.get(subject);
    if (memberships === undefined) continue;
    // The shorter list leads: somebody in few projects must not pay for a cluster in many, nor the other way round.
    for (const project of memberships.size < here.size ? memberships.keys() : here) {
      const place = here.has(project) ? policy.places.get(project)?.get(cluster) : undefined;
      if (place === undefined) continue;
      for (const role of memberships.get(project) ?? []) found.set(projectGroup(project, role), { place });
    }
  }
  return found;
}
