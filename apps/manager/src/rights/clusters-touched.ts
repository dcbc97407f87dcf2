/** Tells which clusters have to be told of a change of the policy. Most changes are of people, who are known to no cluster. */
import { isDeepStrictEqual } from 'node:util';
import type { Policy } from './policy.ts';

/** @param clusters all there are; a change of a role that is given everywhere concerns each of them */
export function clustersTouched(before: Policy, after: Policy, clusters: readonly string[]): Set<string> {
  const changed = changedRoles(before, after);
  const [was, is] = [globalRoles(before), globalRoles(after)];
  if (!isDeepStrictEqual(was, is) || !is.isDisjointFrom(changed)) return new Set(clusters);

  const touched = new Set<string>();
  for (const project of new Set([...before.projects.keys(), ...after.projects.keys()])) {
    const [one, other] = [before, after].map((policy) => asPlaced(policy, project));
    const isSame = isDeepStrictEqual(one, other) && (other === undefined || other.roles.isDisjointFrom(changed));
    if (isSame) continue;
    for (const cluster of [...(one?.places?.keys() ?? []), ...(other?.places?.keys() ?? [])]) touched.add(cluster);
  }
  return touched;
}

/** Those that permit something else than before, or can no longer be used, or can again. */
function changedRoles(before: Policy, after: Policy): Set<string> {
  const names = new Set([...before.roles.keys(), ...after.roles.keys()]);
  return new Set([...names].filter((name) => !isDeepStrictEqual(before.roles.get(name), after.roles.get(name))));
}

/** Global roles that somebody has and that reach into clusters. */
function globalRoles({ globals, reaching }: Policy): Set<string> {
  return new Set([...globals.values()].flatMap((names) => [...names])).intersection(reaching);
}

/** What of a project stands in clusters. */
function asPlaced({ projects, places }: Policy, name: string) {
  const project = projects.get(name);
  if (project === undefined) return undefined;
  return { places: places.get(name), roles: new Set(project.spec.members.map(({ role }) => role)), quota: project.spec.quota };
}
