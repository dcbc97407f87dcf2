/** Keeps the objects of the built-in roles as the program has them, so that everybody can read what they permit. */
import { isDeepStrictEqual } from 'node:util';
import type { Life, Log } from '@rfo/foundation';
import { createController } from '@rfo/kube';
import type { Objects } from '../objects/open-objects.ts';
import { type BuiltInRole, builtInRoles, isBuiltIn } from './built-in-roles.ts';
import type { PolicyRule } from './policy-rule.ts';

/** For one replica alone; until the life ends. */
export function installRoles({
  objects,
  life,
  log,
}: {
  readonly objects: Pick<Objects, 'roleTemplates'>;
  readonly life: Life;
  readonly log: Log;
}): void {
  const { roleTemplates } = objects;
  const controller = createController({
    name: 'built-in roles',
    sources: [roleTemplates.keys((name) => (isBuiltIn(name) ? [name] : []))],
    reconcile: async (name, signal) => {
      const role = builtInRoles.find((one) => one.name === name);
      if (role === undefined) return undefined;
      const wanted = renderSpec(role);
      const found = await roleTemplates.find(name, { signal });
      if (found === undefined) await roleTemplates.create({ metadata: { name }, spec: wanted }, { signal });
      else if (found.spec.scope !== role.scope) {
        // That never changes: it is another role of that name.
        await roleTemplates.delete(name, { signal });
        return { retry: true };
      } else if (!isDeepStrictEqual(found.spec, wanted)) {
        log.warn('a built-in role was changed, and is put right', { role: name });
        await roleTemplates.replace({ ...found, spec: wanted }, { signal });
      }
      return undefined;
    },
    life,
    log,
  });
  for (const { name } of builtInRoles) controller.enqueue(name);
}

/** With every default said, as the API server gives it back. */
function renderSpec({ scope, displayName, description, rules, clusterRules, inherits }: BuiltInRole) {
  return {
    scope,
    displayName,
    description,
    rules: rules.map(renderRule),
    clusterRules: clusterRules.map(renderRule),
    inherits: [...inherits],
  };
}

function renderRule({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule) {
  const lists = { verbs, apiGroups, resources, resourceNames, nonResourceURLs };
  return Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, [...list]])) as { [Name in keyof typeof lists]: string[] };
}
