/** Finds the groups that a user of a directory is in, directly and through other groups. */
import { type Clock, fail, type Log } from '@rfo/foundation';
import type { Entry } from 'ldapts';
import type { OutsideGroup } from '../outside.ts';
import { dnKey, isWithin } from './dn.ts';
import { bytesOf, idOf, nameOf, textOf, valuesOf } from './entry.ts';
import { any, both, inChain, is } from './filters.ts';
import type { Place, Plan } from './plan.ts';
import { type Remembered, remember } from './remember.ts';
import type { Session } from './session.ts';

export type GroupFinder = (session: Session, user: Entry) => Promise<readonly OutsideGroup[]>;

type Group = { readonly dn: string; readonly key: string; readonly id: string; readonly name: string; readonly entry: Entry };
type Parts = {
  readonly plan: Plan;
  readonly place: Place;
  readonly session: Session;
  readonly remembered: Remembered;
  readonly log: Log;
};

/** Groups in groups in groups, and groups of one user. */
const [deepest, most] = [16, 5000];
/** Requests at once on one connection, and names in one request. */
const [atOnce, together] = [8, 50];

/**
 * What is asked about groups, not about users, is remembered for a minute.
 * The finder throws what a search throws, and ldap-too-much: never fewer groups than there are because the directory has cut its answer.
 */
export function createGroupFinder({ plan, clock, log }: { readonly plan: Plan; readonly clock: Clock; readonly log: Log }): GroupFinder {
  const place = plan.groups;
  if (place === undefined) return async () => [];
  const remembered = remember({ clock, seconds: 60, most: 10_000 });
  return async (session, user) => {
    const parts = { plan, place, session, remembered, log };
    const groups = await findAll(parts, await findDirect(parts, user));
    return await withoutNamesakes(parts, groups);
  };
}

async function findDirect(parts: Parts, user: Entry): Promise<readonly Group[]> {
  const { plan } = parts;
  const { attributes, membership, nested } = plan;
  if (membership === 'memberOf') return await findByDn(parts, user);
  if (membership === 'memberUid') {
    const gid = textOf(user, 'gidNumber');
    const names = valuesOf(user, attributes.username).map((name) => is(attributes.memberUid, name));
    return await ask(parts, any([...names, ...(gid === undefined ? [] : [is('gidNumber', gid)])]));
  }
  const matches = nested === 'in-chain' ? inChain : is;
  const found = await ask(parts, any(attributes.member.map((attribute) => matches(attribute, user.dn))));
  return [...found, ...(await findPrimary(parts, user))];
}

/** Active Directory does not list the members of a primary group: the user names it by the last number of its identifier (MS-ADTS, primaryGroupID). */
async function findPrimary(parts: Parts, user: Entry): Promise<readonly Group[]> {
  const { nested, attributes } = parts.plan;
  const [own, number] = [bytesOf(user, 'objectSid'), Number(textOf(user, 'primaryGroupID'))];
  if (own === undefined || own.length < 12 || !Number.isInteger(number)) return [];
  const sid = Buffer.from(own);
  sid.writeUInt32LE(number, sid.length - 4);
  const primary = await parts.remembered(`sid ${sid.toString('hex')}`, () => ask(parts, is('objectSid', sid)));
  if (nested !== 'in-chain') return primary;
  const above = primary.map(({ dn, key }) =>
    parts.remembered(`chain ${key}`, () => ask(parts, any(attributes.member.map((attribute) => inChain(attribute, dn))))),
  );
  return [...primary, ...(await Promise.all(above)).flat()];
}

/** With the groups that those are in, level by level; each once, so a circle ends. */
async function findAll(parts: Parts, direct: readonly Group[]): Promise<readonly Group[]> {
  const { plan, session, log } = parts;
  const all = new Map(direct.map((group) => [group.key, group]));
  if (plan.nested !== 'walk') return [...all.values()];
  let level = [...all.values()];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > deepest) {
      log.warn('groups of a directory are nested too deep: what is above is left out', { depth: deepest, group: level[0]?.dn });
      break;
    }
    const above: Group[] = [];
    for (let at = 0; at < level.length; at += atOnce) {
      const found = await Promise.all(level.slice(at, at + atOnce).map((group) => findParents(parts, group)));
      above.push(...found.flat());
    }
    level = above.filter(({ key }, at) => !all.has(key) && above.findIndex((other) => other.key === key) === at);
    for (const group of level) all.set(group.key, group);
    if (all.size > most) throw fail('ldap-too-much', { server: session.server, problem: `a user is in more than ${most} groups` });
  }
  return [...all.values()];
}

function findParents(parts: Parts, { entry, dn, key }: Group): Promise<readonly Group[]> {
  const { membership, attributes } = parts.plan;
  return parts.remembered(`above ${key}`, () =>
    membership === 'memberOf' ? findByDn(parts, entry) : ask(parts, any(attributes.member.map((attribute) => is(attribute, dn)))),
  );
}

/** The groups whose DNs an entry has; those elsewhere are not ours. */
async function findByDn(parts: Parts, entry: Entry): Promise<readonly Group[]> {
  const { plan, place, session, remembered } = parts;
  const { memberOf } = plan.attributes;
  const isCut = Object.keys(entry).some((name) => name.toLowerCase().startsWith(`${memberOf};range=`.toLowerCase()));
  if (isCut)
    throw fail('ldap-too-much', { server: session.server, problem: `${entry.dn} has too many ${memberOf}: set membership to member` });
  const dns = valuesOf(entry, memberOf).filter((dn) => isWithin(dn, place));
  const found: Group[] = [];
  for (let at = 0; at < dns.length; at += atOnce) {
    const some = dns.slice(at, at + atOnce).map((base) =>
      remembered(`dn ${dnKey(base)}`, async () => {
        const attributes = groupAttributes(plan);
        return toGroups(await session.search({ base, scope: 'base', filter: place.filter, attributes }), plan);
      }),
    );
    found.push(...(await Promise.all(some)).flat());
  }
  return found;
}

/** Rights are given to a group by its name: one that another group has too would give them to both. */
async function withoutNamesakes(parts: Parts, groups: readonly Group[]): Promise<readonly OutsideGroup[]> {
  const { plan, place, session, remembered, log } = parts;
  const names = [...new Set(groups.map(({ name }) => nameKey(name)))];
  const bearers = new Map<string, number>();
  for (let at = 0; at < names.length; at += together) {
    const some = names.slice(at, at + together);
    const found = await remembered(`names ${JSON.stringify(some)}`, () => {
      const filter = both(place.filter, any(some.map((name) => is(plan.attributes.groupName, name))));
      return session.search({ ...place, filter, attributes: [plan.attributes.groupName] });
    });
    for (const entry of found)
      for (const key of new Set(valuesOf(entry, plan.attributes.groupName).map(nameKey))) bearers.set(key, (bearers.get(key) ?? 0) + 1);
  }
  const isAlone = ({ name, dn }: Group): boolean => {
    const alone = (bearers.get(nameKey(name)) ?? 0) <= 1;
    if (!alone) log.warn('a group of a directory is left out, for another has the same name', { group: name, dn });
    return alone;
  };
  return groups
    .filter(isAlone)
    .map(({ id, name }) => ({ id, name }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** As directories compare names. */
function nameKey(name: string): string {
  return name.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

async function ask({ plan, place, session }: Parts, filter: Parameters<typeof both>[1]): Promise<readonly Group[]> {
  return toGroups(await session.search({ ...place, filter: both(place.filter, filter), attributes: groupAttributes(plan) }), plan);
}

function groupAttributes({ attributes, membership }: Plan): readonly string[] {
  return [attributes.groupId, attributes.groupName, ...(membership === 'memberOf' ? [attributes.memberOf] : [])];
}

/** One without a name cannot be given anything. */
function toGroups(entries: readonly Entry[], { attributes }: Plan): readonly Group[] {
  return entries.flatMap((entry) => {
    const name = nameOf(entry, attributes.groupName);
    if (name === undefined) return [];
    return [{ dn: entry.dn, key: dnKey(entry.dn), id: idOf(entry, attributes.groupId) ?? name, name, entry }];
  });
}
