/** A directory as a provider to whom names and passwords are brought at the sign-in. */
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
  }: { readonly users: Pick<OutsideUsers, 'admit'>; readonly providers: Pick<Providers, 'get'>; readonly signal: AbortSignal },
): Provider | undefined {
  const { name, ask } = provider;
  const { asking } = ask;
  if (asking === undefined) return undefined;
  return {
    name,
    verify: async (credentials) => {
      const proven = await asking.authenticate(credentials, signal);
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
