/**
 * Somebody has to be left who can do everything: a user who is enabled and to whom, or to a group of whom, the role is given. A name in a binding is
 * not enough, for it may be that of a group that nobody is in, or of somebody who was disabled.
 */
import { fail, type Life, type Log } from '@rfo/foundation';
import type { GlobalRoleBinding, User } from '@rfo/schema';
import { heldGroups } from '../identity/held-groups.ts';
import type { Objects } from '../objects/open-objects.ts';
import { administrator } from './built-in-roles.ts';
import type { Change } from './check-change.ts';
import { subjectOf, subjectsOf } from './policy.ts';

type People = { readonly users: readonly Person[]; readonly bindings: readonly Given[] };
type Person = Pick<User, 'metadata' | 'spec' | 'status'>;
type Given = Pick<GlobalRoleBinding, 'metadata' | 'spec'>;

/** Passes, or throws rights-last-administrator where the change would leave none of the administrators that there are. */
export function keepAdministrator(people: People, change: Change): void {
  if (change.kind !== 'User' && change.kind !== 'GlobalRoleBinding') return;
  if (administratorsOf(after(people, change)).length > 0 || administratorsOf(people).length === 0) return;
  throw fail('rights-last-administrator', {});
}

/** Names of the users who can do everything. */
export function administratorsOf({ users, bindings }: People): string[] {
  const given = new Set(bindings.filter(({ spec }) => spec.role === administrator).flatMap(({ spec }) => spec.subjects.map(subjectOf)));
  return users
    .filter(({ metadata, spec }) => spec.enabled && metadata.deletionTimestamp === undefined)
    .filter((user) => subjectsOf({ user: user.metadata.name, groups: heldGroups(user) }).some((subject) => given.has(subject)))
    .map(({ metadata }) => metadata.name);
}

/**
 * Tells, loudly and once each time, that nobody is left: who changes the objects by kubectl is asked by nobody. Until the life ends.
 */
export function watchAdministrators({
  objects,
  life,
  log,
}: {
  readonly objects: Pick<Objects, 'users' | 'globalRoleBindings'>;
  readonly life: Life;
  readonly log: Log;
}): void {
  let told = false;
  let planned = false;
  const look = (): void => {
    planned = false;
    if (life.signal.aborted) return;
    const left = administratorsOf({ users: objects.users.list(), bindings: objects.globalRoleBindings.list() }).length;
    // Before the first one is made nothing is missing.
    const missing = left === 0 && objects.users.list().length > 0;
    if (missing && !told) {
      const cure = 'with kubectl, enable a User or name one in a GlobalRoleBinding of the role administrator';
      log.error('nobody has the role administrator any more: nobody can sign in who may give rights', { cure });
    } else if (!missing && told) log.info('somebody has the role administrator again');
    told = missing;
  };
  // What comes together is looked at once.
  const plan = (): void => {
    if (planned) return;
    planned = true;
    setImmediate(look);
  };
  life.defer(objects.users.onChange(plan));
  life.defer(objects.globalRoleBindings.onChange(plan));
  plan();
}

function after({ users, bindings }: People, change: Change): People {
  if (change.kind === 'User') {
    const { before, after: made } = change;
    // What is written has no status, and keeps it: the groups that a provider has named.
    const kept = made === undefined || before?.status === undefined ? made : { ...made, status: before.status };
    return { users: replaced(users, { before, after: kept }), bindings };
  }
  if (change.kind === 'GlobalRoleBinding') return { users, bindings: replaced(bindings, change) };
  return { users, bindings };
}

function replaced<T extends { readonly metadata: { readonly name: string } }>(
  all: readonly T[],
  { before, after: made }: { readonly before?: T | undefined; readonly after?: T | undefined },
): readonly T[] {
  const name = (made ?? before)?.metadata.name;
  return [...all.filter(({ metadata }) => metadata.name !== name), ...(made === undefined ? [] : [made])];
}
