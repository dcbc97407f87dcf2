/** Hashes of passwords: a Secret `rfo-password-<user>` for each user that has one. It belongs to the User and goes with it. */
import { isConflict, isNotFound, type KubeClient, readEntry, renderEntries, type Secret, secretKind } from '@rfo/kube';
import { managerApiVersion } from '../objects/schema.ts';

type StoredPassword = {
  readonly hash: string;
  /** Good for one sign-in, at which it has to be changed. */
  readonly mustChange: boolean;
};

/** All throw what the API says. */
export type PasswordStore = {
  readonly read: (user: string) => Promise<(StoredPassword & { readonly version: string }) | undefined>;
  readonly write: (owner: Owner, password: StoredPassword) => Promise<void>;
  /** Only if it is still of that version; gives the next version, or undefined where somebody else was quicker. */
  readonly replace: (user: string, version: string, password: StoredPassword) => Promise<string | undefined>;
  readonly delete: (user: string) => Promise<void>;
};

export type Owner = { readonly name: string; readonly uid?: string };

const type = 'rfo.io/password';

export function createPasswordStore(client: KubeClient, namespace: string): PasswordStore {
  const refOf = (user: string) => ({ ...secretKind, namespace, name: `rfo-password-${user}` });
  return {
    read: async (user) => {
      const secret = await client.find<Secret>(refOf(user));
      const hash = secret === undefined ? undefined : readEntry(secret, 'hash');
      if (secret === undefined || hash === undefined) return undefined;
      return { hash, mustChange: readEntry(secret, 'must-change') === 'true', version: versionOf(secret) };
    },
    write: async ({ name, uid }, password) => {
      const owner = uid === undefined ? {} : { ownerReferences: [{ apiVersion: managerApiVersion, kind: 'User', name, uid }] };
      const metadata = { name: refOf(name).name, namespace, ...owner };
      await client.apply<Secret>({ ...secretKind, type, metadata, data: render(password) }, { fieldManager: 'rfo-manager', force: true });
    },
    replace: async (user, version, password) => {
      try {
        const written = await client.patch<Secret>(refOf(user), { metadata: { resourceVersion: version }, data: render(password) });
        return versionOf(written);
      } catch (error) {
        if (isConflict(error) || isNotFound(error)) return undefined;
        throw error;
      }
    },
    delete: async (user) => {
      await client.delete(refOf(user));
    },
  };
}

function render({ hash, mustChange }: StoredPassword): Record<string, string> {
  return renderEntries({ hash, 'must-change': String(mustChange) });
}

function versionOf({ metadata: { resourceVersion = '' } }: Secret): string {
  return resourceVersion;
}
