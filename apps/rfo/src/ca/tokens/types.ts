/** Join tokens of the CA: keys of `authsign` that belong to one node, and are used up by it. */
import type { CertificateKey, WithIt } from '../store/types.ts';

export type JoinToken = {
  /** Public: the first 12 hex digits of the SHA-256 of the key. */
  readonly id: string;
  /** The node that may join with it: a name, or a pattern in which `*` stands for a run of letters, digits and dashes. */
  readonly node: string;
  /** Profiles that it is good for, each once for each node. */
  readonly profiles: readonly string[];
  /** CIDRs that the addresses in a certificate must lie in; empty: any. */
  readonly addresses: readonly string[];
  /** How many nodes may join with it; more than one is for a pattern only. */
  readonly maxNodes: number;
  readonly description: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
};

/** One use: a node has got a certificate of a profile with it. */
export type TokenUse = CertificateKey & {
  readonly token: string;
  readonly node: string;
  readonly profile: string;
  /** SHA-256 of the SubjectPublicKeyInfo, hex: the same key is given the same certificate again, for an answer may have been lost. */
  readonly publicKeyHash: string;
  readonly at: number;
};

export type MadeToken = { readonly token: JoinToken /** 64 hex digits: the key, shown this once. */; readonly key: string };

export type JoinTokens = {
  /** `withIt` runs in the same transaction, for the audit log. @throws ca-token-invalid, ca-store-failed */
  readonly create: (wish: Omit<JoinToken, 'id' | 'createdAt'>, withIt?: (token: JoinToken) => void) => Promise<MadeToken>;
  readonly list: () => readonly (JoinToken & { readonly uses: readonly TokenUse[] })[];
  /** Its uses are forgotten with it; the audit log keeps them. @throws ca-token-unknown, ca-store-failed */
  readonly delete: (id: string, withIt?: WithIt) => Promise<void>;
  /** The token, expired or not, whose HMAC-SHA256 over the bytes this is; compared in constant time. */
  readonly match: (bytes: Uint8Array, hmac: Uint8Array) => JoinToken | undefined;
  /**
   * The certificate that this use has got already, or what writes the use down together with the certificate.
   * Of two that claim the same use at the same time the second one fails in the transaction, with ca-token-used-up.
   * @throws ca-token-unknown (deleted meanwhile), ca-token-expired, ca-token-used-up, ca-token-wrong-node, ca-token-wrong-profile
   */
  readonly claim: (
    token: JoinToken,
    wish: { readonly node: string; readonly profile: string; readonly publicKeyHash: string },
  ) => { readonly again: CertificateKey } | { readonly record: (key: CertificateKey) => WithIt };
};
