/** Whether somebody whom a provider vouches for may sign in here. */
import type { AuthProvider } from '@rfo/schema';
import type { Outside } from './outside.ts';

type Rules = Pick<AuthProvider['spec'], 'allowEverybody' | 'allowedUsers' | 'allowedGroups'>;

/** Names are compared as they come, ids as well; without a list and without `allowEverybody` nobody may. */
export function isAllowed({ allowEverybody, allowedUsers, allowedGroups }: Rules, { id, username, groups }: Outside): boolean {
  if (allowEverybody || allowedUsers.includes(id) || allowedUsers.includes(username)) return true;
  return groups.some((group) => allowedGroups.includes(group.name) || allowedGroups.includes(group.id));
}
