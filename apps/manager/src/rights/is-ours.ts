/**
 * Tells what in a cluster the manager has put there. The label alone proves nothing, for whoever may write an object may label it: what is ours also
 * has a name of ours and, where it binds, binds a role of ours under that role's name. Both never change once an object exists.
 */
import type { KubeObject } from '@rfo/kube';
import { clusterRoleName, managedLabel, quotaName, roleOfBinding, roleOfClusterRole } from './names.ts';
import { guardName } from './render-guard.ts';

/** Whether it has the name, and what else cannot be changed, of something that the manager makes. */
export function isFormOfOurs(object: KubeObject): boolean {
  const { kind, metadata } = object;
  switch (kind) {
    case 'ClusterRole':
      return roleOfClusterRole(metadata.name) !== undefined;
    case 'ClusterRoleBinding':
    case 'RoleBinding':
      return bindsItsRole(object);
    case 'ResourceQuota':
      return metadata.name === quotaName;
    default:
      return metadata.name === guardName;
  }
}

export function isLabelled({ metadata }: KubeObject): boolean {
  return metadata.labels?.[managedLabel.name] === managedLabel.value;
}

export function isBinding({ kind }: KubeObject): boolean {
  return kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
}

export function roleRefOf({ roleRef }: KubeObject): string | undefined {
  if (typeof roleRef !== 'object' || roleRef === null || !('kind' in roleRef) || !('name' in roleRef)) return undefined;
  return roleRef.kind === 'ClusterRole' && typeof roleRef.name === 'string' ? roleRef.name : undefined;
}

function bindsItsRole(object: KubeObject): boolean {
  const role = roleOfBinding(object.metadata.name);
  if (role === undefined) return false;
  return [clusterRoleName(role), clusterRoleName(role, true)].some((name) => name === roleRefOf(object));
}
