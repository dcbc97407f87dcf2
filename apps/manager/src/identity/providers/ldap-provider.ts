/** A directory as a provider: names and passwords are brought to it, and it can be asked about anybody at any time. */
import { fail, type Life, type Log, RfoError } from '@rfo/foundation';
import type { AuthProvider } from '@rfo/schema';
import { createLdapDirectory } from './ldap/ldap-directory.ts';
import type { OutsideProvider } from './provider-types.ts';

/** @param parts.secret the password of `bindDn` */
export function createLdapProvider(parts: {
  readonly name: string;
  readonly settings: NonNullable<AuthProvider['spec']['ldap']>;
  readonly secret: () => Promise<string | undefined>;
  readonly life: Life;
  readonly log: Log;
}): OutsideProvider {
  const { name, settings, secret, life, log } = parts;
  const directory = createLdapDirectory({ settings, bindPassword: async () => (await secret()) ?? '', log, life });
  const ask = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof RfoError) throw error;
      throw fail('provider-unreachable', { provider: name, problem: error instanceof Error ? error.message : String(error) }, error);
    }
  };
  return {
    asking: {
      authenticate: async (credentials, signal) => {
        const outside = await ask(directory.authenticate({ ...credentials, signal }));
        return outside === undefined ? undefined : { outside };
      },
    },
    check: (signal) => ask(directory.check(signal)),
    refresh: async (id, _kept, signal) => {
      const outside = await ask(directory.refresh(id, signal));
      return outside === undefined ? undefined : { outside };
    },
    search: (text, options) => ask(directory.search(text, options)),
  };
}
