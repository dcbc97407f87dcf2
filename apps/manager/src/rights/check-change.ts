/**
 * Refuses what would give rights that the caller does not hold himself, whichever object it is written into: a role, a binding, the members and
 * places of a project, the groups of a user. Whether he may write the object at all is `may`'s to say.
 */
import { isDeepStrictEqual } from 'node:util';
import { fail } from '@rfo/foundation';
import type { GlobalRoleBinding, Project, RoleTemplate, User } from '@rfo/schema';
import type { Caller } from '../identity/caller.ts';
import { heldGroups } from '../identity/held-groups.ts';
import { isBuiltIn } from './built-in-roles.ts';
import { globalRulesOf, type Holder, type Policy, projectRolesOf, roleSource, subjectOf, subjectsOf } from './policy.ts';
import { allows, formatPermissions, missingPermissions, type PolicyRule } from './policy-rule.ts';
import { type Role, resolveRoles } from './resolve-roles.ts';

type Draft<T extends { readonly metadata: unknown; readonly spec: unknown }> = Pick<T, 'metadata' | 'spec'>;

/** A change of one object: without `before` it is made, without `after` removed. */
export type Change =
  | { readonly kind: 'RoleTemplate'; readonly before?: Draft<RoleTemplate> | undefined; readonly after?: Draft<RoleTemplate> | undefined }
  | {
      readonly kind: 'GlobalRoleBinding';
      readonly before?: Draft<GlobalRoleBinding> | undefined;
      readonly after?: Draft<GlobalRoleBinding> | undefined;
    }
  | { readonly kind: 'Project'; readonly before?: Draft<Project> | undefined; readonly after?: Draft<Project> | undefined }
  | {
      readonly kind: 'User';
      readonly before?: (Draft<User> & Pick<User, 'status'>) | undefined;
      readonly after?: (Draft<User> & Pick<User, 'status'>) | undefined;
    };

/**
 * Passes, or throws rights-escalation, rights-needs-global, role-built-in, role-in-use, role-unusable.
 * A change of a User also counts as acting on that user: who could set an administrator's groups or identities could become one.
 */
export function checkChange(policy: Policy, caller: Caller, change: Change): void {
  switch (change.kind) {
    case 'RoleTemplate':
      checkRole(policy, caller, change);
      break;
    case 'GlobalRoleBinding':
      checkBinding(policy, caller, change);
      break;
    case 'Project':
      checkProject(policy, caller, change);
      break;
    case 'User':
      checkUser(policy, caller, change);
      break;
  }
}

/**
 * Passes if the caller holds all of these rules himself: by global roles, or with `project` also by his roles there. Throws rights-escalation.
 */
export function checkEscalation(
  policy: Policy,
  caller: Caller,
  wanted: readonly PolicyRule[],
  { project }: { readonly project?: string } = {},
): void {
  const own = project === undefined ? [] : projectRolesOf(policy, caller, project).flatMap(({ rules }) => rules);
  demand(caller, [...globalRulesOf(policy, caller), ...own], wanted);
}

/** Passes if the caller has at least the rights of that user, so that acting on the account gives nothing. Throws rights-escalation. */
export function checkOver(policy: Policy, caller: Caller, user: Holder): void {
  if (user.user === caller.user) return;
  const globals = globalRulesOf(policy, caller);
  demand(caller, globals, globalRulesOf(policy, user));
  const projects = new Set(subjectsOf(user).flatMap((subject) => [...(policy.memberships.get(subject)?.keys() ?? [])]));
  for (const project of projects) {
    const own = projectRolesOf(policy, caller, project);
    for (const role of projectRolesOf(policy, user, project)) demandRole(caller, { globals, own }, role);
  }
}

function checkRole(policy: Policy, caller: Caller, { before, after }: Extract<Change, { kind: 'RoleTemplate' }>): void {
  const name = (after ?? before)?.metadata.name ?? '';
  if (isBuiltIn(name)) throw fail('role-built-in', { name });
  const others = policy.sources.filter((source) => source.name !== name);
  if (after === undefined) {
    // Who had it would have it again, with other rights, when somebody makes one of the same name.
    const users = [
      ...others.filter(({ inherits }) => inherits.includes(name)).map((source) => `the role ${source.name}`),
      ...policy.bindings.filter(({ spec }) => spec.role === name).map(({ metadata }) => `the global role binding ${metadata.name}`),
      ...[...policy.projects.values()]
        .filter(({ spec }) => spec.members.some((member) => member.role === name))
        .map(({ metadata }) => `members of the project ${metadata.name}`),
    ];
    const more = users.length > 5 ? ` and ${users.length - 5} more` : '';
    if (users.length > 0) throw fail('role-in-use', { name, users: users.slice(0, 5).join(', ') + more });
    return;
  }
  const { roles, problems } = resolveRoles([...others, roleSource(after)]);
  const role = roles.get(name);
  if (role === undefined) throw fail('role-unusable', { name, problem: problems.get(name) ?? '' });
  demand(caller, globalRulesOf(policy, caller), [...role.rules, ...role.clusterRules]);
}

function checkBinding(policy: Policy, caller: Caller, { before, after }: Extract<Change, { kind: 'GlobalRoleBinding' }>): void {
  const earlier = new Set(before?.spec.subjects.map(subjectOf));
  const later = new Set(after?.spec.subjects.map(subjectOf));
  const sameRole = before?.spec.role === after?.spec.role;
  const gains = after !== undefined && (!sameRole || !later.isSubsetOf(earlier));
  if (gains) {
    const role = usableRole(policy, after.spec.role, 'global');
    demand(caller, globalRulesOf(policy, caller), role.rules);
  }
}

/**
 * A right to change a project that comes from membership reaches over its members and what it is called; where it reaches and how much it may
 * use is for those who have that right over all projects.
 */
function checkProject(policy: Policy, caller: Caller, { before, after }: Extract<Change, { kind: 'Project' }>): void {
  if (after === undefined) return;
  const { name } = after.metadata;
  const globals = globalRulesOf(policy, caller);
  const changed = (['places', 'quota', 'resources'] as const).filter((field) => !isDeepStrictEqual(before?.spec[field], after.spec[field]));
  const verb = before === undefined ? 'create' : 'update';
  const overall = allows(globals, { verb, group: 'rfo.io', resource: 'projects', name });
  if (changed.length > 0 && !overall) throw fail('rights-needs-global', { username: caller.username, field: changed.join(', '), name });

  const moved = !isDeepStrictEqual(before?.spec.places, after.spec.places);
  const earlier = new Set(before?.spec.members.map(memberKey));
  const roles = new Set(after.spec.members.filter((member) => moved || !earlier.has(memberKey(member))).map(({ role }) => role));
  const known = new Set(before?.spec.members.map(({ role }) => role));
  const own = moved ? [] : projectRolesOf(policy, caller, name);
  for (const role of roles) {
    // What members had before and nobody can use gives nobody anything; it must not stand in the way of other changes.
    if (known.has(role) && !policy.roles.has(role)) continue;
    demandRole(caller, { globals, own }, usableRole(policy, role, 'project', known.has(role)));
  }
}

function checkUser(policy: Policy, caller: Caller, { before, after }: Extract<Change, { kind: 'User' }>): void {
  for (const user of [before, after]) {
    if (user === undefined) continue;
    const holder = { user: user.metadata.name, groups: heldGroups(user) };
    // On oneself all but the gain is free.
    if (holder.user !== caller.user) checkOver(policy, caller, holder);
    else checkOver(policy, caller, { user: '', groups: holder.groups });
  }
}

function usableRole(policy: Policy, name: string, scope: Role['scope'], alreadyGiven = false): Role {
  const role = policy.roles.get(name);
  if (role === undefined) throw fail('role-unusable', { name, problem: policy.problems.roles.get(name) ?? 'it does not exist' });
  if (role.scope !== scope) throw fail('role-unusable', { name, problem: `its scope is ${role.scope}, not ${scope}` });
  if (role.locked && !alreadyGiven) throw fail('role-unusable', { name, problem: 'it is locked, so nobody else can be given it' });
  return role;
}

/** What holds everywhere and what holds in whole clusters alone are compared apart: a place may become a whole cluster later. */
function demandRole(caller: Caller, held: { readonly globals: readonly PolicyRule[]; readonly own: readonly Role[] }, wanted: Role): void {
  const inPlaces = [...held.globals, ...held.own.flatMap(({ rules }) => rules)];
  demand(caller, inPlaces, wanted.rules);
  demand(caller, [...inPlaces, ...held.own.flatMap(({ clusterRules }) => clusterRules)], wanted.clusterRules);
}

function demand(caller: Caller, owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): void {
  const missing = missingPermissions(owned, wanted);
  if (missing.length > 0) throw fail('rights-escalation', { username: caller.username, missing: formatPermissions(missing) });
}

function memberKey({ kind, name, role }: Project['spec']['members'][number]): string {
  return `${subjectOf({ kind, name })} ${role}`;
}
