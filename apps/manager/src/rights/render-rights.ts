/** What stands in a cluster for the sake of rights, as objects: nothing for a single user, and no more than the roles that are in use there. */
import type { KubeObject } from '@rfo/kube';
import type { Project } from '@rfo/schema';
import { type Amounts, divideQuota } from './divide-quota.ts';
import { clusterRoleName, globalGroup, managedLabel, projectGroup, quotaName } from './names.ts';
import { clusterPart, type Policy } from './policy.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { Role } from './resolve-roles.ts';

const rbac = { group: 'rbac.authorization.k8s.io', version: 'rbac.authorization.k8s.io/v1' };
export const clusterRoleKind = { apiVersion: rbac.version, kind: 'ClusterRole' };
export const clusterRoleBindingKind = { apiVersion: rbac.version, kind: 'ClusterRoleBinding' };
export const roleBindingKind = { apiVersion: rbac.version, kind: 'RoleBinding' };
export const resourceQuotaKind = { apiVersion: 'v1', kind: 'ResourceQuota' };

/** Objects of one project in one cluster, or of a global role (then without a project). */
export type Wanted = { readonly project?: string; readonly object: KubeObject };

/** Everything that is to stand in the cluster. Roles come before what binds them. */
export function renderRights(policy: Policy, cluster: string): Wanted[] {
  const roles = new Map<string, KubeObject>();
  const rest: Wanted[] = [];
  const bind = (role: Role, whole: boolean): string => {
    // Where it makes no difference, one serves both.
    const differs = whole && clusterPart(role.clusterRules).length > 0;
    const name = clusterRoleName(role.name, differs);
    roles.set(name, renderClusterRole(name, differs ? [...role.rules, ...role.clusterRules] : role.rules));
    return name;
  };

  const given = new Set([...policy.globals.values()].flatMap((names) => [...names]));
  for (const role of used(
    policy,
    [...given].filter((name) => policy.reaching.has(name)),
  )) {
    rest.push({ object: renderBinding(clusterRoleBindingKind, { group: globalGroup(role.name), role: bind(role, true) }) });
  }
  for (const name of [...(policy.projectsIn.get(cluster) ?? [])].sort()) {
    const project = policy.projects.get(name);
    const place = policy.places.get(name)?.get(cluster);
    if (project === undefined || place === undefined) continue;
    for (const role of used(
      policy,
      project.spec.members.map((member) => member.role),
    )) {
      const group = projectGroup(name, role.name);
      if (clusterPart([...role.rules, ...(place === 'whole' ? role.clusterRules : [])]).length === 0) continue;
      const roleName = bind(role, place === 'whole');
      if (place === 'whole') rest.push({ project: name, object: renderBinding(clusterRoleBindingKind, { group, role: roleName }) });
      else
        for (const namespace of place)
          rest.push({ project: name, object: renderBinding(roleBindingKind, { group, role: roleName, namespace }) });
    }
    for (const object of renderQuotas(policy, project, cluster)) rest.push({ project: name, object });
  }
  return [...[...roles.values()].map((object) => ({ object })), ...rest];
}

/** Those that can be used, each once, in a steady order. */
function used(policy: Policy, names: readonly string[]): Role[] {
  return [...new Set(names)].sort().flatMap((name) => policy.roles.get(name) ?? []);
}

function renderClusterRole(name: string, rules: readonly PolicyRule[]): KubeObject {
  return { ...clusterRoleKind, metadata: metadata(name), rules: clusterPart(rules).map(renderRule) };
}

/** As the API server gives a rule back, so that what is there can be compared. */
function renderRule({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): PolicyRule {
  const given = { apiGroups, resources, resourceNames, nonResourceURLs };
  return { verbs, ...Object.fromEntries(Object.entries(given).filter(([, list]) => list !== undefined && list.length > 0)) };
}

/** Called like the group that it is for. */
function renderBinding(
  kind: typeof roleBindingKind,
  { group, role, namespace }: { readonly group: string; readonly role: string; readonly namespace?: string },
): KubeObject {
  return {
    ...kind,
    metadata: metadata(group, namespace),
    roleRef: { apiGroup: rbac.group, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: rbac.group, kind: 'Group', name: group }],
  };
}

/** The parts are counted over all clusters, in the order in which the project names its namespaces. */
function renderQuotas(policy: Policy, project: Project, cluster: string): KubeObject[] {
  const { quota } = project.spec;
  if (quota === undefined) return [];
  const namespaces = [...(policy.places.get(project.metadata.name) ?? [])].flatMap(([where, place]) =>
    place === 'whole' ? [] : [...place].map((namespace) => ({ where, namespace })),
  );
  const parts = divideQuota(quota.hard, namespaces.length);
  return namespaces.flatMap(({ where, namespace }, index) => (where === cluster ? [renderQuota(namespace, parts[index] ?? {})] : []));
}

function renderQuota(namespace: string, hard: Amounts): KubeObject {
  return { ...resourceQuotaKind, metadata: metadata(quotaName, namespace), spec: { hard } };
}

function metadata(name: string, namespace?: string) {
  return { name, ...(namespace !== undefined && { namespace }), labels: { [managedLabel.name]: managedLabel.value } };
}
