/** What is signed, by what, and what comes out: the words that the parts of the CA have in common. */
import type { AltName, Name, RawExtension, Usage } from '@rfo/pki';

/** A name as it is written in JSON: of CSR files and of the `subject` of a request. */
export type NameEntry = {
  readonly C?: string;
  readonly ST?: string;
  readonly L?: string;
  readonly O?: string;
  readonly OU?: string;
  readonly E?: string;
  readonly SerialNumber?: string;
  /** Dotted identifiers with their values. */
  readonly OID?: Readonly<Record<string, string>>;
};
export type SubjectWish = { readonly CN?: string; readonly names?: readonly NameEntry[]; readonly SerialNumber?: string };

/** What a client asks for. */
export type SignRequest = {
  /** PEM. */
  readonly certificateRequest: string;
  /** null: the names of the CSR; empty: none. */
  readonly hosts: readonly string[] | null;
  /** Overrides the subject of the CSR field by field. */
  readonly subject?: SubjectWish;
  /** Empty: the default profile. */
  readonly profile: string;
  readonly label: string;
  /** Heeded only where the profile lets clients choose it. */
  readonly serial?: bigint;
  /** Only those that the profile allows by name; never over HTTP. */
  readonly extensions?: readonly RawExtension[];
};

/** A certificate as it will be, before anything is signed. */
export type Draft = {
  /** Name of the profile that it is made by; `default` for the default one. */
  readonly profile: string;
  readonly subject: Name;
  readonly altNames: readonly AltName[];
  readonly isCa: boolean;
  /** What the profile lets it be used for: `clientAuth`, `serverAuth`. */
  readonly usages: readonly Usage[];
  /** The node whose identity it is, where a rule has bound it to one: only such a certificate may be in `system:nodes`. */
  readonly node?: string;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
};

/**
 * A rule on what may be signed: of the CA, of a profile, of a join token. Gives the draft back, with what it forces changed (a subject, an earlier end).
 * @throws CfsslError (5300, 5500) for what is not allowed
 */
export type Rule = (draft: Draft) => Draft;

/** What was signed. */
export type Issued = {
  /** With a final newline. */
  readonly pem: string;
  readonly der: Buffer;
  readonly draft: Draft;
  /** Decimal. */
  readonly serial: string;
  /** The CA's key, as certdb names it: lower-case hex. */
  readonly authorityKeyId: string;
};

/** A CA that signs. */
export type Issuer = {
  /** @throws CfsslError, key-unsupported */
  readonly issue: (request: SignRequest, rules?: readonly Rule[]) => Promise<Issued>;
};
