/** Who a request comes from, as everything behind the authentication sees it. */
export type Caller = {
  /** The `metadata.name` of the User: it never changes. */
  readonly user: string;
  /** What the user signs in with; it may change. */
  readonly username: string;
  /** Groups of the user's own and those that the provider named at the sign-in, without doubles. */
  readonly groups: readonly string[];
  readonly token: {
    /** The name of the Token. */
    readonly id: string;
    readonly kind: 'session' | 'api' | 'kubeconfig';
    /** The only clusters that it is good for; without it, all that its user may enter. */
    readonly clusters?: readonly string[];
    /** It changes nothing, whatever its user may. */
    readonly readOnly: boolean;
  };
  /** Who vouched for the user when the token was made: `local`, or the name of an AuthProvider. */
  readonly provider: string;
};
