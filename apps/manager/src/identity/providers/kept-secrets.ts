/**
 * Secrets that the manager keeps of providers: of each provider the one that it is asked with, and of each user what the provider is asked about
 * him by. They are written and used, and never answered to anybody.
 */
import { isAlreadyExists, isNotFound, type KubeClient, readEntry, renderEntries, type Secret, secretKind } from '@rfo/kube';

export type KeptSecrets = {
  /** Client secret or password of the manager at the provider. */
  readonly ofProvider: (provider: string) => Promise<string | undefined>;
  /** @param secret undefined: it has none any more */
  readonly setOfProvider: (provider: string, secret: string | undefined) => Promise<void>;
  readonly ofUser: (user: string, provider: string) => Promise<string | undefined>;
  readonly setOfUser: (user: string, provider: string, kept: string | undefined) => Promise<void>;
  readonly deleteUser: (user: string) => Promise<void>;
};

const entry = 'secret';

/** All of them throw what the API says. */
export function createKeptSecrets(client: KubeClient, namespace: string): KeptSecrets {
  const refOf = (name: string) => ({ ...secretKind, namespace, name });
  const read = async (name: string, key: string): Promise<string | undefined> => {
    const secret = await client.find<Secret>(refOf(name));
    return secret === undefined ? undefined : readEntry(secret, key);
  };
  const write = async (name: string, key: string, value: string | undefined): Promise<void> => {
    const data = value === undefined ? { [key]: null } : renderEntries({ [key]: value });
    for (;;) {
      try {
        await client.patch(refOf(name), { data });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      if (value === undefined) return;
      const labels = { 'app.kubernetes.io/managed-by': 'rfo-manager' };
      const made = { ...secretKind, type: 'Opaque', metadata: { name, namespace, labels }, data: renderEntries({ [key]: value }) };
      try {
        await client.create(made);
        return;
      } catch (error) {
        // Another replica was first: then it can be changed.
        if (!isAlreadyExists(error)) throw error;
      }
    }
  };
  const remove = async (name: string): Promise<void> => {
    await client.delete(refOf(name)).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  };
  return {
    ofProvider: (provider) => read(providerSecret(provider), entry),
    setOfProvider: async (provider, secret) => {
      if (secret === undefined) await remove(providerSecret(provider));
      else await write(providerSecret(provider), entry, secret);
    },
    ofUser: (user, provider) => read(userSecret(user), provider),
    setOfUser: (user, provider, kept) => write(userSecret(user), provider, kept),
    deleteUser: (user) => remove(userSecret(user)),
  };
}

function providerSecret(provider: string): string {
  return `rfo-auth-provider-${provider}`;
}

function userSecret(user: string): string {
  return `rfo-outside-${user}`;
}
