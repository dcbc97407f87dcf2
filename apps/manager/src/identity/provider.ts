/** Who can vouch for users: the manager itself by their passwords, and others outside. */

/** What a provider says of somebody who has proven who he is. */
export type Vouched = {
  /** Name of the User. */
  readonly user: string;
  /** The proof was good for this once: `change` has to be called before anything else is allowed. */
  readonly mustChange: boolean;
  /**
   * Sets a new password in the place of the one that was proven; absent where the provider does not keep passwords for us.
   * Throws password-weak, and credentials-refused if it was changed meanwhile. @param keep id of a session that goes on; the others end
   */
  readonly change?: (password: string, keep?: string) => Promise<void>;
  /** Whether the proof would still be accepted: asked when the session is made, so that a change at the same moment ends it. */
  readonly stillHolds: () => Promise<boolean>;
};

/** A provider to whom names and passwords are brought. */
export type Provider = {
  /** `local`, or the name of an AuthProvider. */
  readonly name: string;
  /**
   * Undefined for a wrong name, a wrong password and a user that may not sign in alike, and after the same time. Throws sign-in-busy, and what
   * kept it from finding out.
   */
  readonly verify: (credentials: { readonly username: string; readonly password: string }) => Promise<Vouched | undefined>;
};
