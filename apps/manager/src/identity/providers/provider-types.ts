/** What the manager can ask of a provider outside, whatever its type. */
import type { Found, Outside } from './outside.ts';

/** Somebody whom the provider has just vouched for. */
export type Proven = {
  readonly outside: Outside;
  /** What the provider can be asked about him by later: a secret, kept in a Secret of the manager. */
  readonly kept?: string | undefined;
};

/** What one sign-in in a browser is bound to; all of it random. */
export type Trip = {
  /** Where the provider sends the browser back to. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
};

/** A provider to whom the browser is sent. */
export type Redirecting = {
  /** The address to send the browser to. */
  readonly begin: (trip: Trip, signal: AbortSignal) => Promise<URL>;
  /** @param callback with what the provider has added. @throws provider-refused, provider-unreachable */
  readonly complete: (callback: URL, trip: Trip, signal: AbortSignal) => Promise<Proven>;
  /** The address at which a browser signs out there, and from which it comes back; absent where that is not wanted. @throws provider-unreachable */
  readonly leave?: (back: string) => Promise<URL>;
};

/** A provider to whom a name and a password are brought. */
export type Asking = {
  /** Undefined for a wrong name and a wrong password alike. @throws provider-unreachable */
  readonly authenticate: (
    credentials: { readonly username: string; readonly password: string },
    signal: AbortSignal,
  ) => Promise<Proven | undefined>;
};

export type OutsideProvider = {
  readonly redirecting?: Redirecting;
  readonly asking?: Asking;
  /** Tries the settings as far as that goes without a user. @throws provider-settings, provider-unreachable */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /**
   * Asks about somebody again: undefined when the provider knows him no longer, and `unknown` where it cannot be asked about him.
   * @throws provider-unreachable
   */
  readonly refresh: (id: string, kept: string | undefined, signal: AbortSignal) => Promise<Proven | undefined | 'unknown'>;
  /** People and groups for whoever gives rights; absent where the provider has no such thing. @throws provider-unreachable */
  readonly search?: (text: string, options: { readonly limit: number; readonly signal: AbortSignal }) => Promise<readonly Found[]>;
};
