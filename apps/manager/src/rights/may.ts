/** Decides what somebody may do with the manager's own objects. */
import type { Caller } from '../identity/caller.ts';
import { enter } from './enter.ts';
import { globalRulesOf, managerPart, type Policy, projectRolesOf } from './policy.ts';
import { allows } from './policy-rule.ts';

export type ManagedKind =
  | 'Cluster'
  | 'User'
  | 'RoleTemplate'
  | 'GlobalRoleBinding'
  | 'Project'
  | 'Token'
  | 'AuthProvider'
  | 'Setting'
  | 'AuditSegment';
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export type Request = {
  readonly verb: Verb;
  readonly kind: ManagedKind;
  /** The object. Without it: all of the kind, or for `create` a new one. */
  readonly name?: string;
  /** Whose the object is, where that is known: of a Token its user. */
  readonly owner?: string;
};

const reading: ReadonlySet<Verb> = new Set(['get', 'list', 'watch']);

/**
 * Whether the caller may do this.
 *
 * By a global role: what its rules about `rfo.io` say. By membership: see a project, and what rules about `rfo.io` of his roles there say.
 * Without either: see himself, see the clusters that he may enter, and have tokens of his own. A token that is read-only reads alone, and one
 * that is limited to clusters sees those alone.
 */
export function may(policy: Policy, caller: Caller, request: Request): boolean {
  const { token, user } = caller;
  const { verb, kind, name, owner } = request;
  const reads = reading.has(verb);
  if (token.readOnly && !reads) return false;
  if (token.clusters !== undefined)
    return kind === 'Cluster' && verb === 'get' && name !== undefined && enter(policy, caller, name) !== undefined;

  const permission = { verb, group: 'rfo.io', resource: `${kind.toLowerCase()}s`, ...(name !== undefined && { name }) };
  if (allows(globalRulesOf(policy, caller), permission)) return true;

  if (kind === 'Project' && name !== undefined) {
    const roles = projectRolesOf(policy, caller, name);
    return (verb === 'get' && roles.length > 0) || roles.some(({ rules }) => allows(managerPart(rules), permission));
  }
  if (kind === 'Cluster') return verb === 'get' && name !== undefined && enter(policy, caller, name) !== undefined;
  if (kind === 'User') return verb === 'get' && name === user;
  if (kind === 'Token') return owner === user && (reads || verb === 'create' || verb === 'delete');
  return false;
}
