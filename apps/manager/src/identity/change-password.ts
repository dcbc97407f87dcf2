/** A user changes his own password. */
import { fail } from '@rfo/foundation';
import type { Caller } from './caller.ts';
import type { Guard } from './guard.ts';
import type { Provider } from './provider.ts';

export type PasswordChange = {
  readonly caller: Caller;
  /** The password of now: whoever finds an open session must not be able to take the account over. */
  readonly current: string;
  readonly password: string;
  /** IP address without port. */
  readonly address: string;
};

/** The session that it is done in goes on, the others end. Throws what the guard throws, and password-weak. */
export async function changePassword(
  { guard, provider }: { readonly guard: Guard; readonly provider: Provider },
  { caller, current, password, address }: PasswordChange,
): Promise<void> {
  const vouched = await guard({ provider, username: caller.username, password: current, address });
  if (vouched.user !== caller.user || vouched.change === undefined) throw fail('credentials-refused', {});
  await vouched.change(password, caller.token.id);
}
