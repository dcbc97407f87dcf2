/** A directory as a provider to whom names and passwords are brought at the sign-in. */
import { fail, type Log, toRfoError } from '@rfo/foundation';
import type { Provider } from '../provider.ts';
import type { OpenProvider, Providers } from './open-providers.ts';
import type { OutsideUsers } from './outside-users.ts';

/** Undefined where users do not bring passwords to it. */
export function outsidePassword(
  provider: OpenProvider,
  {
    users,
    providers,
    signal,
    log,
  }: {
    readonly users: Pick<OutsideUsers, 'admit'>;
    readonly providers: Pick<Providers, 'get'>;
    readonly signal: AbortSignal;
    readonly log: Log;
  },
): Provider | undefined {
  const { name, ask } = provider;
  const { asking } = ask;
  if (asking === undefined) return undefined;
  return {
    name,
    verify: async (credentials) => {
      const proven = await asking.authenticate(credentials, signal).catch((error: unknown) => {
        if (signal.aborted || toRfoError(error).code === 'sign-in-busy') throw error;
        // Names of hosts and what is wrong with them are not for whoever knocks.
        log.warn('a provider could not be asked at a sign-in', { provider: name, error });
        throw fail('provider-unreachable', { provider: name, problem: 'the log of the manager says why' }, error);
      });
      if (proven === undefined) return undefined;
      const user = await users.admit(provider, proven);
      return {
        user: user.metadata.name,
        mustChange: false,
        stillHolds: async () => providers.get(name) !== undefined,
      };
    },
  };
}
