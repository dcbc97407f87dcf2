/** What the endpoints are made of: everything that the rest of the CA gives them. */
import type { Clock, Log } from '@rfo/foundation';
import type { CertificateInfo, IssuerIdentity, OcspResponder } from '@rfo/pki';
import type { Audit } from '../audit/types.ts';
import type { SigningConfig } from '../config/types.ts';
import type { Compat } from '../signing/compat.ts';
import type { Issuer } from '../signing/types.ts';
import type { CertificateStore } from '../store/types.ts';
import type { JoinTokens } from '../tokens/types.ts';

/** The CA that signs. */
export type Authority = {
  readonly certificate: CertificateInfo;
  readonly identity: IssuerIdentity;
  readonly issuer: Issuer;
};

/** The database: without one, as cfssl can be run, nothing that is issued is remembered and nothing can be revoked. */
export type Records = { readonly store: CertificateStore; readonly tokens: JoinTokens; readonly audit: Audit };

export type ApiParts = {
  readonly config: SigningConfig;
  readonly compat: Compat;
  readonly clock: Clock;
  readonly log: Log;
  readonly authority: Authority | undefined;
  readonly records: Records | undefined;
  /** Who signs OCSP answers now. */
  readonly responder: (() => OcspResponder) | undefined;
  /** DER of the present list of revoked certificates. */
  readonly crl: (() => Promise<Buffer>) | undefined;
  /** What stands in `bundle` of an answer, for the PEM of a certificate. */
  readonly bundle: ((pem: string, signal: AbortSignal) => Promise<unknown>) | undefined;
};
