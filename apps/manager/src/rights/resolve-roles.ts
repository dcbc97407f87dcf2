/** Puts together what each role permits, with what it inherits. A role that cannot be understood permits nothing: guessing would be giving. */
import type { RoleSource } from './built-in-roles.ts';
import type { PolicyRule } from './policy-rule.ts';

export type Role = {
  readonly name: string;
  readonly scope: 'global' | 'project';
  /** In every place; of a global role everywhere. */
  readonly rules: readonly PolicyRule[];
  /** Beyond that, where the place is a whole cluster. */
  readonly clusterRules: readonly PolicyRule[];
  /** It is not to be given to anybody any more. */
  readonly locked: boolean;
};

type ResolvedRoles = {
  readonly roles: ReadonlyMap<string, Role>;
  /** Why each of the other roles cannot be used. */
  readonly problems: ReadonlyMap<string, string>;
};

/** Refused are roles that inherit themselves, an unknown role, one of another scope, or one that is itself refused. */
export function resolveRoles(sources: readonly RoleSource[]): ResolvedRoles {
  const byName = new Map(sources.map((source) => [source.name, source]));
  const roles = new Map<string, Role>();
  const problems = new Map<string, string>();
  for (const source of sources) {
    const lineage = lineageOf(source, byName);
    if (typeof lineage === 'string') problems.set(source.name, lineage);
    else roles.set(source.name, combine(source, lineage));
  }
  return { roles, problems };
}

/** The role and all that it inherits, each once, or why there is no telling. */
function lineageOf(source: RoleSource, byName: ReadonlyMap<string, RoleSource>): readonly RoleSource[] | string {
  const found = new Set<RoleSource>();
  const visit = (role: RoleSource, path: readonly string[]): string | undefined => {
    for (const name of role.inherits) {
      if (path.includes(name)) return `it inherits itself: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`;
      const inherited = byName.get(name);
      if (inherited === undefined) return `${role.name} inherits the role "${name}", which does not exist`;
      if (inherited.scope !== source.scope) return `${role.name} inherits the role "${name}" of the scope ${inherited.scope}`;
      if (found.has(inherited)) continue;
      const problem = visit(inherited, [...path, name]);
      if (problem !== undefined) return problem;
      found.add(inherited);
    }
    return undefined;
  };
  return visit(source, [source.name]) ?? [source, ...found];
}

/** Rules of a global role hold everywhere, so it makes no difference in which of its lists they stand. */
function combine(source: RoleSource, lineage: readonly RoleSource[]): Role {
  const { name, scope, locked } = source;
  const rules = lineage.flatMap((role) => role.rules);
  const clusterRules = lineage.flatMap((role) => role.clusterRules);
  return scope === 'global'
    ? { name, scope, locked, rules: [...rules, ...clusterRules], clusterRules: [] }
    : { name, scope, locked, rules, clusterRules };
}
