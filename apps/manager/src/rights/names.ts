/** The names under which clusters know users and their rights. Names of our objects hold no colon, so that none can be mistaken for another. */

/** What Kubernetes itself gives everybody who has signed in. */
export const everybody = ['system:authenticated', 'rfo:users'] as const;

/** The group of all who have a global role. */
export function globalGroup(role: string): string {
  return `rfo:role:${role}`;
}

/** The group of all who have a role in a project. */
export function projectGroup(project: string, role: string): string {
  return `rfo:project:${project}:${role}`;
}

/** The ClusterRole of a role. @param whole its rules for whole clusters, where they differ */
export function clusterRoleName(role: string, whole = false): string {
  return whole ? `rfo:${role}:cluster` : `rfo:${role}`;
}

/** The reverse: which role a ClusterRole of ours stands for. */
export function roleOfClusterRole(name: string): string | undefined {
  return /^rfo:([^:]+)(:cluster)?$/.exec(name)?.[1];
}

/** The role that a binding of ours gives; it is called like the group that it gives it to. */
export function roleOfBinding(name: string): string | undefined {
  return /^rfo:(?:role|project:[^:]+):([^:]+)$/.exec(name)?.[1];
}

/** On everything that the manager puts into a cluster for the sake of rights. */
export const managedLabel = { name: 'rfo.io/managed-by', value: 'manager' } as const;

/** The ResourceQuota in each namespace of a project that has a quota. */
export const quotaName = 'rfo-project';
