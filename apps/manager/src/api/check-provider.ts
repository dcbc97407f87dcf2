/** Refuses that somebody becomes more than he is by deciding what a provider says. */
import type { Caller } from '../identity/caller.ts';
import { heldGroups, outsideGroup } from '../identity/held-groups.ts';
import type { ApiParts } from './parts.ts';

/**
 * Whoever writes a provider can be everybody whom it vouches for, and in every group that is named after it, also before it exists: passes if he has
 * the rights of them all. Throws rights-escalation.
 */
export function checkOverProvider({ objects, rights }: Pick<ApiParts, 'objects' | 'rights'>, caller: Caller, provider: string): void {
  const beginning = outsideGroup(provider, '');
  const holders = [
    ...objects.globalRoleBindings.list().flatMap(({ spec }) => spec.subjects),
    ...objects.projects.list().flatMap(({ spec }) => spec.members),
  ];
  const groups = holders.flatMap(({ kind, name }) => (kind === 'Group' && name.startsWith(beginning) ? [name] : []));
  rights.checkOver(caller, { user: '', groups: [...new Set(groups)] });
  for (const user of objects.users.list()) {
    if (user.spec.identities.some((identity) => identity.provider === provider))
      rights.checkOver(caller, { user: user.metadata.name, groups: heldGroups(user) });
  }
}
