/**
 * Everything that decides about rights, computed from the objects as a whole: a pure function whose result is asked in microseconds.
 * It is computed anew when one of them changes, so no index can be out of step: some 20 ms for 500 projects of 40 members.
 */
import type { GlobalRoleBinding, Project, RoleTemplate } from '@rfo/schema';
import { builtInRoles, isBuiltIn, type RoleSource, roleOfEverybody } from './built-in-roles.ts';
import { assignPlaces, type Conflict, type Places } from './places.ts';
import type { PolicyRule } from './policy-rule.ts';
import { type Role, resolveRoles } from './resolve-roles.ts';

/** `User/<name>` or `Group/<name>`. */
export type Subject = string;

export type Policy = {
  /** Those that can be used. */
  readonly roles: ReadonlyMap<string, Role>;
  /** Which global roles are given to each subject. */
  readonly globals: ReadonlyMap<Subject, ReadonlySet<string>>;
  /** Which roles each subject has in each project. */
  readonly memberships: ReadonlyMap<Subject, ReadonlyMap<string, readonly string[]>>;
  readonly projects: ReadonlyMap<string, Project>;
  /** Of each project. */
  readonly places: ReadonlyMap<string, Places>;
  /** The projects that have a place in each cluster. */
  readonly projectsIn: ReadonlyMap<string, ReadonlySet<string>>;
  /** Global roles that reach into every cluster. */
  readonly reaching: ReadonlySet<string>;
  readonly problems: {
    readonly roles: ReadonlyMap<string, string>;
    readonly conflicts: ReadonlyMap<string, readonly Conflict[]>;
    /** Roles that members of each project have but that cannot be used. */
    readonly unusable: ReadonlyMap<string, ReadonlySet<string>>;
  };
  /** What was put in, for what-if questions. */
  readonly sources: readonly RoleSource[];
  readonly bindings: readonly GlobalRoleBinding[];
};

export type PolicyInput = {
  readonly roleTemplates: readonly RoleTemplate[];
  readonly globalRoleBindings: readonly GlobalRoleBinding[];
  readonly projects: readonly Project[];
};

/** Whoever may be asked about: a caller, or a user on whom somebody wants to act. */
export type Holder = { readonly user: string; readonly groups: readonly string[] };

const rfoGroup = 'rfo.io';

/** What cannot be used is left out of the answers and named in `problems`. */
export function computePolicy({ roleTemplates, globalRoleBindings, projects }: PolicyInput): Policy {
  const sources = roleSources(roleTemplates);
  const { roles, problems } = resolveRoles(sources);
  const has = (name: string, scope: Role['scope']): boolean => roles.get(name)?.scope === scope;

  const globals = new Map<Subject, Set<string>>();
  for (const { spec } of globalRoleBindings) {
    if (!has(spec.role, 'global')) continue;
    for (const subject of spec.subjects) addTo(globals, subjectOf(subject), spec.role);
  }

  const { places, conflicts } = assignPlaces(projects);
  const memberships = new Map<Subject, Map<string, string[]>>();
  const unusable = new Map<string, Set<string>>();
  const projectsIn = new Map<string, Set<string>>();
  for (const { metadata, spec } of projects) {
    for (const member of spec.members) {
      if (!has(member.role, 'project')) {
        addTo(unusable, metadata.name, member.role);
        continue;
      }
      const subject = subjectOf(member);
      const own = memberships.get(subject) ?? new Map<string, string[]>();
      memberships.set(subject, own);
      const names = own.get(metadata.name);
      if (names === undefined) own.set(metadata.name, [member.role]);
      else names.push(member.role);
    }
    for (const cluster of places.get(metadata.name)?.keys() ?? []) addTo(projectsIn, cluster, metadata.name);
  }
  const reaching = new Set(
    [...roles.values()].filter(({ scope, rules }) => scope === 'global' && clusterPart(rules).length > 0).map(({ name }) => name),
  );
  return {
    roles,
    globals,
    memberships,
    projects: new Map(projects.map((project) => [project.metadata.name, project])),
    places,
    projectsIn,
    reaching,
    problems: { roles: problems, conflicts, unusable },
    sources,
    bindings: globalRoleBindings,
  };
}

/** What the built-in roles are does not depend on objects of their names. */
function roleSources(roleTemplates: readonly RoleTemplate[]): RoleSource[] {
  const own = roleTemplates.filter(({ metadata }) => !isBuiltIn(metadata.name)).map(roleSource);
  return [...builtInRoles, ...own];
}

export function roleSource({ metadata, spec }: Pick<RoleTemplate, 'metadata' | 'spec'>): RoleSource {
  const { scope, rules, clusterRules, inherits, locked = false } = spec;
  return { name: metadata.name, scope, rules, clusterRules, inherits, locked };
}

/** Of a user and of everything that it is in. */
export function subjectsOf({ user, groups }: Holder): Subject[] {
  return [subjectOf({ kind: 'User', name: user }), ...groups.map((name) => subjectOf({ kind: 'Group', name }))];
}

export function subjectOf({ kind, name }: { readonly kind: 'User' | 'Group'; readonly name: string }): Subject {
  return `${kind}/${name}`;
}

/** Names of all global roles of a user, that of everybody among them. */
export function globalRolesOf(policy: Policy, holder: Holder): Set<string> {
  return new Set([roleOfEverybody, ...subjectsOf(holder).flatMap((subject) => [...(policy.globals.get(subject) ?? [])])]);
}

/** What all global roles of a user permit. */
export function globalRulesOf(policy: Policy, holder: Holder): PolicyRule[] {
  return [...globalRolesOf(policy, holder)].flatMap((name) => policy.roles.get(name)?.rules ?? []);
}

/** All roles that a user has in a project. */
export function projectRolesOf(policy: Policy, holder: Holder, project: string): Role[] {
  const names = new Set(subjectsOf(holder).flatMap((subject) => [...(policy.memberships.get(subject)?.get(project) ?? [])]));
  return [...names].flatMap((name) => policy.roles.get(name) ?? []);
}

/** The rules that speak of clusters. Those about the manager's own objects hold in its interface, where every change is checked, and nowhere else. */
export function clusterPart(rules: readonly PolicyRule[]): PolicyRule[] {
  return rules.flatMap((rule) => {
    const { apiGroups } = rule;
    if (!apiGroups?.includes(rfoGroup)) return [rule];
    const others = apiGroups.filter((group) => group !== rfoGroup);
    return others.length === 0 ? [] : [{ ...rule, apiGroups: others }];
  });
}

/** The rules that speak of the manager's own objects, by name: a wildcard in a project is meant for its places. */
export function managerPart(rules: readonly PolicyRule[]): PolicyRule[] {
  return rules.filter(({ apiGroups = [] }) => apiGroups.includes(rfoGroup)).map((rule) => ({ ...rule, apiGroups: [rfoGroup] }));
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}
