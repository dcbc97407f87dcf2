/** What the identity part tells whoever keeps the audit: acts and refusals, never a secret. */
import type { Caller } from './caller.ts';

export type IdentityEvent = {
  readonly act:
    | 'sign-in'
    | 'sign-out'
    | 'create-token'
    | 'delete-token'
    | 'create-user'
    | 'delete-user'
    | 'enable-user'
    | 'disable-user'
    | 'set-password';
  /** `limited`: not looked at, for too many attempts had failed; told once for each wait. */
  readonly result: 'done' | 'refused' | 'limited';
  /** The User that it is about; absent where nobody has the name that was typed, which is not told: it may be a password. */
  readonly user?: string;
  readonly username?: string;
  /** Name of the Token made, used or deleted. */
  readonly token?: string;
  /** Who did it to somebody else. */
  readonly by?: Caller;
  /** Where a sign-in came from. */
  readonly address?: string;
  readonly provider?: string;
};

/** Called after the act; what it throws is logged and stops nothing. */
export type OnEvent = (event: IdentityEvent) => void;
