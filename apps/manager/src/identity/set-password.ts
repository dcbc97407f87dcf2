/** Sets passwords, and ends what was opened with the old one. */
import { fail } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { User } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import { managerApiVersion } from '../objects/schema.ts';
import type { PasswordHasher } from './hash-password.ts';
import { checkPassword } from './password-rules.ts';
import type { PasswordStore } from './password-store.ts';

export type PasswordParts = {
  readonly objects: Pick<Objects, 'tokens'>;
  readonly client: KubeClient;
  readonly passwords: PasswordStore;
  readonly hasher: PasswordHasher;
};

/**
 * Sets the password of the user, whatever it was, and ends his sessions. Throws password-weak, sign-in-busy, and what the API says.
 * @param wish.mustChange it is good for one sign-in, at which the user chooses another
 */
export async function setPassword(
  parts: PasswordParts,
  user: User,
  wish: { readonly password: string; readonly mustChange: boolean },
): Promise<void> {
  const { password, mustChange } = wish;
  checkPassword(password, user.spec);
  await parts.passwords.write(user.metadata, { hash: await parts.hasher.hash(password), mustChange });
  await endSessions(parts, user.metadata.name);
}

/**
 * Sets it in the place of one that the user has proven, and ends his other sessions; gives the version of what is kept now.
 * Throws password-weak, sign-in-busy, credentials-refused where it was changed meanwhile, and what the API says.
 * @param wish.version of the old one in the store
 * @param wish.keep id of a session that goes on
 */
export async function replacePassword(
  parts: PasswordParts,
  user: User,
  wish: { readonly password: string; readonly old: string; readonly version: string; readonly keep: string | undefined },
): Promise<string> {
  const { password, old, version, keep } = wish;
  checkPassword(password, { ...user.spec, old });
  const hash = await parts.hasher.hash(password);
  const next = await parts.passwords.replace(user.metadata.name, version, { hash, mustChange: false });
  if (next === undefined) throw fail('credentials-refused', {});
  await endSessions(parts, user.metadata.name, keep);
  return next;
}

/** Those that the API knows: a session that another replica has just made may not have come here yet. */
export async function endSessions(
  { objects, client }: Pick<PasswordParts, 'objects' | 'client'>,
  user: string,
  keep?: string,
): Promise<void> {
  const { items } = await client.list(
    { apiVersion: managerApiVersion, kind: 'Token' },
    { fieldSelector: `spec.user=${user},spec.kind=session` },
  );
  await Promise.all(items.filter(({ metadata }) => metadata.name !== keep).map(({ metadata }) => objects.tokens.delete(metadata.name)));
}
