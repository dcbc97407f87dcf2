/**
 * What every sign-in provider says about a person: the one shape that OIDC, GitHub and LDAP answer with, so that nothing behind a sign-in knows which of them it was.
 *
 * Names in here are the provider's own words. The manager puts the provider's name before each group (`corp:admins`) where it makes a caller of it, so no provider can name
 * another's group, nor one of the manager or of Kubernetes.
 */

/** A group as the provider knows it. */
export type OutsideGroup = {
  /** Lasts through a renaming where the provider has such a thing (`entryUUID`, `objectGUID`, GitHub's number); the name itself where it has none. */
  readonly id: string;
  /** What an administrator writes behind the provider's name in a binding or among a project's members. */
  readonly name: string;
};

/** A person as the provider knows them at this moment. */
export type Outside = {
  /** Lasts through a renaming: `entryUUID`, `objectGUID`, `sub`. */
  readonly id: string;
  readonly username: string;
  readonly displayName?: string;
  readonly email?: string;
  readonly groups: readonly OutsideGroup[];
};

/** A person or a group found by searching the provider, for whoever gives rights to somebody not signed in yet. */
export type Found = {
  readonly kind: 'User' | 'Group';
  readonly id: string;
  readonly name: string;
  readonly displayName?: string;
};
