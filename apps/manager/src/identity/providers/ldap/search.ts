/** Finds users and groups of a directory by how their names begin, for whoever gives rights. */
import type { Filter } from 'ldapts';
import type { Found } from '../outside.ts';
import { idOf, nameOf, textOf } from './entry.ts';
import { any, begins, both } from './filters.ts';
import type { Plan } from './plan.ts';
import type { Session } from './session.ts';

/** Beginnings alone: those a directory has an index for. Users by family name too. @param wish.limit of users and of groups each */
export async function searchDirectory(
  session: Session,
  plan: Plan,
  wish: { readonly text: string; readonly limit: number },
): Promise<readonly Found[]> {
  const { users, groups, attributes } = plan;
  const text = wish.text.trim();
  if (text === '' || wish.limit < 1) return [];
  const { userId, username, displayName, email, groupId, groupName } = attributes;
  const wanted = (names: readonly string[], among: Filter): Filter =>
    both(among, any([...new Set(names)].map((name) => begins(name, text))));

  const people = await session.search({
    ...users,
    filter: wanted([username, displayName, email, 'sn'], users.filter),
    attributes: [userId, username, displayName],
    limit: wish.limit,
  });
  const groupsFound =
    groups === undefined
      ? []
      : await session.search({
          ...groups,
          filter: wanted([groupName], groups.filter),
          attributes: [groupId, groupName],
          limit: wish.limit,
        });
  return [
    ...people.flatMap((entry): readonly Found[] => {
      const [id, name, title] = [idOf(entry, userId), nameOf(entry, username), textOf(entry, displayName)];
      return id === undefined || name === undefined ? [] : [{ kind: 'User', id, name, ...(title !== undefined && { displayName: title }) }];
    }),
    ...groupsFound.flatMap((entry): readonly Found[] => {
      const name = nameOf(entry, groupName);
      return name === undefined ? [] : [{ kind: 'Group', id: idOf(entry, groupId) ?? name, name }];
    }),
  ].sort((one, other) => (one.name < other.name ? -1 : 1));
}
