/** Makes a User of somebody whom a provider vouches for, and keeps what the provider says of him. */
import { type Clock, fail, type Log, sleep, toRfoError } from '@rfo/foundation';
import type { KubeClient, KubeObject } from '@rfo/kube';
import type { User } from '@rfo/schema';
import type { Objects } from '../../objects/open-objects.ts';
import { managerApiVersion } from '../../objects/schema.ts';
import { randomName } from '../token-format.ts';
import { usernameKey } from '../username.ts';
import type { UserRequest } from '../users.ts';
import { isAllowed } from './is-allowed.ts';
import type { KeptSecrets } from './kept-secrets.ts';
import type { OpenProvider } from './open-providers.ts';
import type { Outside } from './outside.ts';
import type { Proven } from './provider-types.ts';

export type OutsideUsers = {
  /** The User of somebody who has just signed in; made at the first time. Throws provider-not-allowed, and what the API says. */
  readonly admit: (provider: OpenProvider, proven: Proven) => Promise<User>;
  /** Notes what the provider says now. @param proven undefined: it vouches for him no longer */
  readonly note: (user: User, provider: OpenProvider, proven: Proven | undefined) => Promise<void>;
};

type Parts = {
  readonly objects: Pick<Objects, 'users'>;
  readonly client: KubeClient;
  readonly secrets: Pick<KeptSecrets, 'setOfUser'>;
  readonly createUser: (request: UserRequest) => Promise<User>;
  readonly deleteUser: (name: string) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Log;
};

/** Groups of one person: each is in the memory of every replica. What comes on top is left out, and the log tells. */
const mostGroups = 2000;
const longestGroup = 256;
/** Times that the making of a user is tried while others make the same. */
const tries = 6;

export function createOutsideUsers(parts: Parts): OutsideUsers {
  const { objects, secrets, clock, log } = parts;

  const note: OutsideUsers['note'] = async (user, { name: provider, spec }, proven) => {
    const { name } = user.metadata;
    const outside = proven?.outside;
    const gone = outside === undefined || !isAllowed(spec, outside);
    // What he is asked about by is there before anybody relies on it.
    await secrets.setOfUser(name, provider, gone ? undefined : proven?.kept);
    const groups = gone || outside === undefined ? [] : groupNames(outside, { provider, user: name, log });
    const checkedAt = new Date(clock.now()).toISOString();
    await objects.users.patchStatus(name, { outside: { [provider]: { groups, checkedAt, gone } } });
  };

  return {
    note,
    admit: async (provider, proven) => {
      const { name, spec } = provider;
      const { outside } = proven;
      const known = objects.users.by('identity', `${name}/${outside.id}`)[0];
      if (!isAllowed(spec, outside)) {
        // Whoever was let in before has what he still holds taken away.
        if (known !== undefined) await note(known, provider, undefined);
        throw fail('provider-not-allowed', { provider: name, username: outside.username });
      }
      const user = known ?? (await makeUser(parts, name, outside));
      await note(user, provider, proven);
      return objects.users.get(user.metadata.name) ?? user;
    },
  };
}

/**
 * A name that somebody has here already is nobody else's: two people must never share an account because two directories call them the same.
 * Then the provider's name is put behind it.
 */
async function makeUser({ client, createUser, deleteUser, signal, log }: Parts, provider: string, outside: Outside): Promise<User> {
  const { id, displayName, email } = outside;
  for (let tried = 0; tried < tries; tried++) {
    const there = (await usersOf(client, provider, id))[0];
    if (there !== undefined) return there;
    for (const username of candidates(outside, provider)) {
      try {
        const made = await createUser({
          username,
          identity: { provider, id },
          ...(displayName !== undefined && { displayName: displayName.replace(/\p{Cc}/gu, ' ').slice(0, 128) }),
          ...(email !== undefined && /^[^\s@]+@[^\s@]+$/.test(email) && email.length <= 254 && { email }),
        });
        // Of two that two replicas make at the same moment the later one sees the other, so at most one stays.
        if ((await usersOf(client, provider, id)).every(({ metadata }) => metadata.name === made.metadata.name)) return made;
        await deleteUser(made.metadata.name);
        break;
      } catch (error) {
        if (toRfoError(error).code !== 'username-taken') throw error;
      }
    }
    // Both may have gone: one of them has to be first at last.
    await sleep(Math.random() * 50 * 2 ** tried, signal);
  }
  log.warn('no user could be made for somebody whom a provider vouches for', { provider, id });
  throw fail('sign-in-busy', {});
}

/** Asked of the API: another replica may just have made it. */
async function usersOf(client: KubeClient, provider: string, id: string): Promise<readonly User[]> {
  const { items } = await client.list<KubeObject>({ apiVersion: managerApiVersion, kind: 'User' });
  return (items as unknown as readonly User[]).filter(({ spec }) =>
    (spec.identities ?? []).some((identity) => identity.provider === provider && identity.id === id),
  );
}

/** User names to try, the best first; each is one that may be had. */
export function candidates({ username, id }: Pick<Outside, 'username' | 'id'>, provider: string): readonly string[] {
  const plain = usernameKey(username)
    .replace(/[^\p{L}\p{M}\p{N}._@+-]/gu, '-')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .slice(0, 64);
  const base = plain === '' ? `user-${randomName(6)}` : plain;
  const behind = (ending: string): string => `${base.slice(0, 64 - ending.length)}${ending}`;
  const tail = usernameKey(id)
    .replace(/[^a-z0-9]/g, '')
    .slice(-6);
  return [base, behind(`@${provider}`.slice(0, 32)), behind(`-${tail}${randomName(4)}`)];
}

function groupNames(
  { groups }: Outside,
  { provider, user, log }: { readonly provider: string; readonly user: string; readonly log: Log },
): readonly string[] {
  const names = [...new Set(groups.map(({ name }) => name))].sort();
  const usable = names.filter((name) => name !== '' && name.length <= longestGroup && !/\p{Cc}/u.test(name)).slice(0, mostGroups);
  if (usable.length < names.length) {
    log.warn('not all groups of somebody are kept', { provider, user, groups: names.length, kept: usable.length });
  }
  return usable;
}
