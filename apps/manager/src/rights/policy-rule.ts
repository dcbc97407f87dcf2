/** What a rule of RBAC permits, taken apart and compared. A rule means here what it means to Kubernetes (rbac/v1 PolicyRule). */

export type PolicyRule = {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
};

/** One permission that a rule consists of. Each text may be the wildcard `*`; `name` absent: objects of every name. */
export type Permission =
  | { readonly verb: string; readonly url: string }
  | { readonly verb: string; readonly group: string; readonly resource: string; readonly name?: string };

/**
 * The permissions in `wanted` that `owned` does not include: none if everything that `wanted` allows is allowed by `owned` as well.
 * Decides as Kubernetes' own check against escalation does (k8s.io/component-helpers/auth/rbac/validation): each permission has to be
 * included in one rule. That is exact, for a wildcard stands for names that no finite list can hold.
 */
export function missingPermissions(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): Permission[] {
  return wanted.flatMap(permissionsOf).filter((permission) => !owned.some((rule) => includes(rule, permission)));
}

/** Whether one of the rules allows it. `resource` with its subresource: `pods/exec`. */
export function allows(rules: readonly PolicyRule[], permission: Permission): boolean {
  return rules.some((rule) => includes(rule, permission));
}

/** `get,list pods/exec.apps "name"`: for people. At most five, then their number. */
export function formatPermissions(permissions: readonly Permission[]): string {
  const texts = [...new Set(permissions.map(format))];
  return texts.length <= 5 ? texts.join('; ') : `${texts.slice(0, 5).join('; ')} and ${texts.length - 5} more`;
}

function permissionsOf(rule: PolicyRule): Permission[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  return verbs.flatMap((verb) => [
    ...nonResourceURLs.map((url) => ({ verb, url })),
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource): Permission[] =>
        resourceNames.length === 0 ? [{ verb, group, resource }] : resourceNames.map((name) => ({ verb, group, resource, name })),
      ),
    ),
  ]);
}

function includes(rule: PolicyRule, permission: Permission): boolean {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (!has(verbs, permission.verb)) return false;
  if ('url' in permission) return nonResourceURLs.some((pattern) => includesUrl(pattern, permission.url));
  const { name } = permission;
  if (resourceNames.length > 0 && (name === undefined || !resourceNames.includes(name))) return false;
  return has(apiGroups, permission.group) && includesResource(resources, permission.resource);
}

function has(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

/** `*` stands for subresources too; a subresource of everything is written with a star before the slash. */
function includesResource(resources: readonly string[], resource: string): boolean {
  if (has(resources, resource)) return true;
  const slash = resource.indexOf('/');
  return slash > 0 && resources.includes(`*${resource.slice(slash)}`);
}

/** A star at the end stands for any rest. */
function includesUrl(pattern: string, url: string): boolean {
  if (pattern === '*' || pattern === url) return true;
  return pattern.endsWith('*') && url.startsWith(pattern.replace(/\*+$/, ''));
}

function format(permission: Permission): string {
  if ('url' in permission) return `${permission.verb} ${permission.url}`;
  const { verb, group, resource, name } = permission;
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : ` "${name}"`}`;
}
