/** What the parts that tell the status of certificates have in common. */
import type { CertificateInfo, IssuerIdentity, OcspResponder } from '@rfo/pki';
import type { CertificateStore } from '../store/types.ts';

/** A CA whose certificates are answered for: the present one, and the one before it while its certificates live. */
export type StatusAuthority = {
  readonly certificate: CertificateInfo;
  readonly identity: IssuerIdentity;
  /** Who signs OCSP answers instead of the CA's own key. */
  readonly responder?: ResponderFiles;
};

/** PEM files: of a certificate that the CA issued for OCSP signing, and of its key. */
export type ResponderFiles = { readonly certificate: string; readonly key: string };

/** Who signs now. */
export type Responder = OcspResponder & {
  /** False: the CA itself. */
  readonly delegated: boolean;
  /** End of its certificate, milliseconds since 1970. */
  readonly notAfter: number;
};

/** What of the store is needed to tell a status. */
export type StatusStore = Pick<CertificateStore, 'find' | 'revoked' | 'nextCrlNumber' | 'onChange' | 'look'>;

/** Milliseconds. Answers and lists are signed anew when half of their validity has passed, or something changed. */
export type StatusWindows = { readonly ocspValidity: number; readonly crlValidity: number };

/** What HTTP caches are told of an answer. */
export type Caching = {
  /** Quoted upper-case hex of the body's SHA-256. */
  readonly etag: string;
  readonly cacheControl: string;
  /** HTTP dates. */
  readonly lastModified: string;
  readonly expires: string;
};

export type OcspReply = {
  /** HTTP. */
  readonly status: 200 | 400 | 500;
  readonly der: Buffer;
  /** Undefined for what must not be kept: errors, and answers to a nonce. */
  readonly caching: Caching | undefined;
};

export type Crl = {
  readonly der: Buffer;
  readonly pem: Buffer;
  readonly number: bigint;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly caching: Caching;
  readonly pemCaching: Caching;
};
