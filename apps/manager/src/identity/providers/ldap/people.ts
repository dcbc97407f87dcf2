/** Finds users in a directory, by what was typed or by what never changes. */
import { fail } from '@rfo/foundation';
import type { Entry } from 'ldapts';
import { usernameKey } from '../../username.ts';
import type { Outside, OutsideGroup } from '../outside.ts';
import { stateAttributes } from './account-state.ts';
import { idOf, idValue, nameOf, textOf, valuesOf } from './entry.ts';
import { both, is } from './filters.ts';
import type { Plan } from './plan.ts';
import type { Session } from './session.ts';

/** Of one name; directories also find names that only look alike. */
const most = 10;

/** Those whom this name is of; it is the caller's to refuse more than one. Throws what the search throws. */
export async function findByName(session: Session, plan: Plan, typed: string): Promise<readonly Entry[]> {
  const { users, attributes } = plan;
  const filter = both(users.filter, is(attributes.username, typed));
  const found = await session.search({ ...users, filter, attributes: userAttributes(plan), limit: most });
  // A directory overlooks accents and blanks. Whoever typed another name would be counted as somebody else when too many attempts fail.
  const key = usernameKey(typed);
  return found.filter((entry) => entry.dn !== '' && valuesOf(entry, attributes.username).some((value) => usernameKey(value) === key));
}

/** Undefined where there is none any more. Throws what the search throws. @param id as `outsideOf` gave it */
export async function findById(session: Session, plan: Plan, id: string): Promise<Entry | undefined> {
  const { users, attributes } = plan;
  const value = idValue(attributes.userId, id);
  if (value === undefined) return undefined;
  const filter = both(users.filter, is(attributes.userId, value));
  const [found, ...others] = await session.search({ ...users, filter, attributes: userAttributes(plan), limit: 2 });
  return others.length > 0 ? undefined : found;
}

/** Throws ldap-attribute-missing. */
export function outsideOf(entry: Entry, { attributes }: Plan, groups: readonly OutsideGroup[]): Outside {
  const displayName = textOf(entry, attributes.displayName);
  const email = textOf(entry, attributes.email);
  return {
    id: idOf(entry, attributes.userId) ?? missing(entry, attributes.userId),
    username: nameOf(entry, attributes.username) ?? missing(entry, attributes.username),
    groups,
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
  };
}

/** What is asked of a user. Some are shown only to those who name them. */
export function userAttributes({ attributes, membership }: Plan): readonly string[] {
  const { userId, username, displayName, email, memberOf } = attributes;
  const forGroups = membership === 'memberOf' ? [memberOf] : membership === 'memberUid' ? ['gidNumber'] : [];
  return [userId, username, displayName, email, ...stateAttributes, 'objectSid', 'primaryGroupID', ...forGroups];
}

function missing({ dn }: Entry, attribute: string): never {
  throw fail('ldap-attribute-missing', { attribute, dn });
}
