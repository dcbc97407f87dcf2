/** The signing configuration of cfssl (`-config`), read and checked. */
import type { KeyUsage, RawExtension, Usage } from '@rfo/pki';

export type SigningConfig = {
  readonly defaultProfile: Profile;
  readonly profiles: ReadonlyMap<string, Profile>;
  /** HMAC keys of `auth_keys` that no profile names, so that no host that joins has them: they open the dangerous endpoints. */
  readonly operatorKeys: readonly Buffer[];
};

/** A pattern of Go's regexp package; it is found anywhere in the text, and takes time proportional to its length. */
export type NamePattern = { readonly source: string; readonly test: (text: string) => boolean };

export type Profile = {
  /** `default` for the default one. */
  readonly name: string;
  /** As they are written, in their order: `info` gives them back. */
  readonly usageNames: readonly string[];
  readonly keyUsages: readonly KeyUsage[];
  readonly usages: readonly Usage[];
  /** As it is written, for `info`. */
  readonly expiryText: string;
  /** Milliseconds. */
  readonly expiry: number;
  readonly backdate: number;
  /** Milliseconds since 1970; they override expiry. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly issuerUrls: readonly string[];
  readonly ocspUrl: string;
  readonly crlUrl: string;
  readonly ocspNoCheck: boolean;
  readonly copyExtensions: boolean;
  readonly allowedExtensions: readonly string[];
  readonly ca?: { readonly pathLength?: number };
  /** Found anywhere in a name, as Go's FindString does. */
  readonly nameWhitelist?: NamePattern;
  readonly csrWhitelist?: ReadonlySet<string>;
  readonly policies: readonly RawExtension[];
  readonly clientProvidesSerialNumbers: boolean;
  /** Our own `rfo_bind`: whoever has the profile's key may be issued the identity of a node with it, and nothing else. */
  readonly bind?: 'node';
  /** HMAC keys, the present one first; empty: not authenticated. */
  readonly authKeys: readonly Buffer[];
  /** Where requests of this profile go instead. */
  readonly remote?: { readonly addresses: readonly string[]; readonly authKey?: Buffer };
};
