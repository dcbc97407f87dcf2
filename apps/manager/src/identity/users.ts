/** Makes, disables and deletes users. */
import { fail } from '@rfo/foundation';
import { isNotFound, type KubeClient, type KubeObject } from '@rfo/kube';
import type { User } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import { managerApiVersion } from '../objects/schema.ts';
import { localProvider } from './local-provider.ts';
import { checkPassword } from './password-rules.ts';
import { endSessions, type PasswordParts, setPassword } from './set-password.ts';
import { randomName } from './token-format.ts';
import { checkUsername } from './username.ts';

export type UserRequest = {
  readonly username: string;
  readonly displayName?: string | undefined;
  readonly email?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  /** Who it is to the provider that vouches for it: the manager itself unless given. */
  readonly identity?: { readonly provider: string; readonly id: string } | undefined;
  /** Without it the user cannot sign in by a password until one is set. */
  readonly password?: string | undefined;
  /** The password is good for one sign-in, at which the user chooses another (true). */
  readonly mustChange?: boolean | undefined;
};

type UserParts = PasswordParts & { readonly objects: Pick<Objects, 'tokens' | 'users'> };

/**
 * @param name of the object; random unless given, so that what was granted to a deleted user never comes to one who takes his user name
 * @throws username-invalid, username-taken, password-weak, sign-in-busy, and what the API says
 */
export async function createUser(parts: UserParts, request: UserRequest, name = `u-${randomName(10)}`): Promise<User> {
  const { objects, client } = parts;
  const { displayName, email, groups = [], identity = { provider: localProvider, id: name }, password, mustChange = true } = request;
  const username = checkUsername(request.username);
  if (password !== undefined) checkPassword(password, { username, email });
  if ((await namesakes(client, username)).length > 0) throw fail('username-taken', { username });
  const spec = {
    username,
    enabled: true,
    identities: [identity],
    groups: [...new Set(groups)],
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
  };
  const user = await objects.users.create({ metadata: { name }, spec });
  try {
    // Of two that are made at the same moment the later one sees the other, so at most one stays.
    const others = (await namesakes(client, username)).filter(({ metadata }) => metadata.name !== name);
    if (others.length > 0) throw fail('username-taken', { username });
    if (password !== undefined) await setPassword(parts, user, { password, mustChange });
  } catch (error) {
    await deleteUser(parts, name);
    throw error;
  }
  return user;
}

/** Deletes the user with all tokens and the password. Gives false where there was none. Throws what the API says. */
export async function deleteUser({ objects, client, passwords }: UserParts, name: string): Promise<boolean> {
  const was = await objects.users.delete(name);
  await passwords.delete(name);
  const { items } = await client.list({ apiVersion: managerApiVersion, kind: 'Token' }, { fieldSelector: `spec.user=${name}` });
  await Promise.all(items.map(({ metadata }) => objects.tokens.delete(metadata.name)));
  return was;
}

/** Lets the user in again or not; whoever is not let in loses his sessions, and his tokens are good for nothing. @throws user-unknown */
export async function setEnabled(parts: UserParts, name: string, enabled: boolean): Promise<User> {
  const user = await parts.objects.users.patch(name, { spec: { enabled } }).catch((error: unknown) => {
    if (isNotFound(error)) throw fail('user-unknown', { user: name });
    throw error;
  });
  if (!enabled) await endSessions(parts, name);
  return user;
}

/** The user of that name. If something other than `createUser` has made two, it is the older: nobody takes a name over. */
export function findUser({ users }: Pick<Objects, 'users'>, username: string): User | undefined {
  const age = ({ metadata }: User): string => `${metadata.creationTimestamp} ${metadata.name}`;
  return [...users.by('username', username)].sort((one, other) => (age(one) < age(other) ? -1 : 1))[0];
}

function namesakes(client: KubeClient, username: string): Promise<readonly KubeObject[]> {
  return client
    .list({ apiVersion: managerApiVersion, kind: 'User' }, { fieldSelector: `spec.username=${username}` })
    .then(({ items }) => items);
}
