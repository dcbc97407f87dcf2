/** The provider `local`: users of the manager, by the passwords that it keeps. */
import type { Log } from '@rfo/foundation';
import type { User } from '@rfo/schema';
import type { PasswordHasher } from './hash-password.ts';
import type { PasswordStore } from './password-store.ts';
import type { Provider } from './provider.ts';

export const localProvider = 'local';

/** @param parts.change sets a password in place of that of this version and gives the next version; throws password-weak and credentials-refused */
export function createLocalProvider(parts: {
  readonly findUser: (username: string) => User | undefined;
  readonly passwords: PasswordStore;
  readonly hasher: PasswordHasher;
  readonly change: (
    user: User,
    wish: { readonly password: string; readonly old: string; readonly version: string; readonly keep: string | undefined },
  ) => Promise<string>;
  readonly log: Log;
}): Provider {
  const { findUser, passwords, hasher, change, log } = parts;
  return {
    name: localProvider,
    verify: async ({ username, password }) => {
      const user = findUser(username);
      // Whoever does not exist is looked up and hashed for as well, so that the time tells nothing.
      const stored = await passwords.read(user?.metadata.name ?? nobody);
      const { matches, outdated } = await hasher.verify(password, stored?.hash);
      if (!matches || stored === undefined || user === undefined || !user.spec.enabled) return undefined;
      const { name } = user.metadata;
      let [proven, version] = [password, stored.version];
      if (outdated) {
        const hash = await hasher.hash(password);
        try {
          // If somebody changed it meanwhile, that counts.
          version = (await passwords.replace(name, version, { hash, mustChange: stored.mustChange })) ?? version;
        } catch (error) {
          log.warn('a password is still kept by an old hash', { user: name, error });
        }
      }
      return {
        user: name,
        mustChange: stored.mustChange,
        change: async (next, keep) => {
          version = await change(user, { password: next, old: proven, version, keep });
          proven = next;
        },
        stillHolds: async () => {
          const now = await passwords.read(name);
          if (now === undefined) return false;
          return now.version === version || (await hasher.verify(proven, now.hash)).matches;
        },
      };
    },
  };
}

/** No User has this name: it ends with a dash. */
const nobody = 'nobody-';
