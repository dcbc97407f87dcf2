/** What the objects say of themselves: whether everything that they give is in force, and if not, why. */
import type { Project } from '@rfo/schema';
import type { Policy } from './policy.ts';
import type { Outcome } from './reconcile-cluster.ts';

/** How it stands with a cluster. `outcome` is that of the policy of now. */
export type ClusterState =
  | { readonly state: 'unknown' }
  | { readonly state: 'away' }
  | { readonly state: 'waiting' }
  | { readonly state: 'done'; readonly outcome: Outcome };

export type Verdict = { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string };
type Flaw = { readonly reason: string; readonly message: string };

/** Undefined: clusters are still being told, so it is too early to say. */
export function judgeProject(
  policy: Policy,
  project: Pick<Project, 'metadata' | 'spec'>,
  stateOf: (cluster: string) => ClusterState,
): Verdict | undefined {
  const { name } = project.metadata;
  const { conflicts, unusable, roles } = policy.problems;
  const flaws: Flaw[] = [
    ...(conflicts.get(name) ?? []).map(({ cluster, namespace, owner }) => ({
      reason: 'NamespaceTaken',
      message: `namespace ${namespace} of cluster ${cluster} belongs to project ${owner}`,
    })),
    ...[...(unusable.get(name) ?? [])].map((role) => ({
      reason: 'RoleUnusable',
      message: `role ${role}: ${roles.get(role) ?? notOfProjects(policy, role)}`,
    })),
  ];
  for (const cluster of policy.places.get(name)?.keys() ?? []) {
    const state = stateOf(cluster);
    if (state.state === 'waiting') return undefined;
    flaws.push(...flawsOf(cluster, state, name));
  }
  const hint = project.spec.quota !== undefined && project.spec.places.some(({ namespaces }) => namespaces === undefined) ? quotaHint : '';
  return verdict(flaws, `its roles are in force in all of its places${hint}`);
}

/** @param where the clusters that have the role, or are to have it */
export function judgeRole(
  policy: Policy,
  role: string,
  where: readonly string[],
  stateOf: (cluster: string) => ClusterState,
): Verdict | undefined {
  const problem = policy.problems.roles.get(role);
  if (problem !== undefined) return { status: 'False', reason: 'Unusable', message: problem };
  const states = where.map((cluster) => ({ cluster, ...stateOf(cluster) }));
  if (states.some(({ state }) => state === 'waiting')) return undefined;
  const flaws = states.filter(({ state }) => state === 'away').map(({ cluster }) => away(cluster));
  return verdict(flaws, 'it is in force wherever it is given');
}

/** The clusters in which a role has to stand. @param clusters all there are */
export function clustersOfRole(policy: Policy, role: string, clusters: readonly string[]): string[] {
  if (policy.roles.get(role)?.scope !== 'project') return policy.reaching.has(role) && isGiven(policy, role) ? [...clusters] : [];
  const projects = new Set<string>();
  for (const memberships of policy.memberships.values())
    for (const [project, roles] of memberships) if (roles.includes(role)) projects.add(project);
  return clusters.filter((cluster) => !projects.isDisjointFrom(policy.projectsIn.get(cluster) ?? new Set()));
}

const quotaHint = '; its quota does not hold in whole clusters';

function flawsOf(cluster: string, state: ClusterState, project: string): Flaw[] {
  if (state.state === 'unknown') return [{ reason: 'ClusterUnknown', message: `there is no cluster ${cluster}` }];
  if (state.state === 'away') return [away(cluster)];
  if (state.state === 'waiting') return [];
  return state.outcome.problems
    .filter((problem) => problem.project === project)
    .map(({ reason, message }) => ({ reason, message: `cluster ${cluster}: ${message}` }));
}

function away(cluster: string): Flaw {
  return { reason: 'ClusterAway', message: `cluster ${cluster} is away: it will be told when it is back` };
}

/** The first reason stands for all; the messages are those of the first ten. */
function verdict(flaws: readonly Flaw[], good: string): Verdict {
  const [first] = flaws;
  if (first === undefined) return { status: 'True', reason: 'InForce', message: good };
  const told = flaws.slice(0, 10).map(({ message }) => message);
  if (flaws.length > told.length) told.push(`and ${flaws.length - told.length} more`);
  return { status: 'False', reason: first.reason, message: told.join('; ') };
}

function notOfProjects(policy: Policy, role: string): string {
  return policy.roles.has(role) ? 'it is not for projects' : 'it does not exist';
}

function isGiven(policy: Policy, role: string): boolean {
  return [...policy.globals.values()].some((roles) => roles.has(role));
}
