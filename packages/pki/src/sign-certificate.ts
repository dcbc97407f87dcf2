/** Writes a certificate exactly as it is told and has it signed: what a CA does that decides everything itself. */
import { encodeExtensions, type RawExtension } from './certificate-extensions.ts';
import { bitString, context, sequence, time, unsigned } from './der.ts';
import type { IssuerIdentity } from './signing-key.ts';

export type CertificateBody = {
  /** Big-endian, not negative. */
  readonly serial: Uint8Array;
  /** DER of a name. */
  readonly subject: Uint8Array;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** Milliseconds since 1970; written in whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** In this order; nothing is added to them. */
  readonly extensions: readonly RawExtension[];
};

/** A certificate's DER, X.509 version 3 (RFC 5280 §4.1). Throws RangeError for a time beyond the year 9999, and whatever the key throws. */
export async function signCertificate(body: CertificateBody, issuer: IssuerIdentity): Promise<Buffer> {
  const { algorithm, sign } = issuer.key;
  const bytes = certificateBytes(body, { algorithm, name: issuer.name });
  return sequence(bytes, algorithm, bitString(await sign(bytes)));
}

/** What is signed: DER of the TBSCertificate. Times before 2050 are UTCTime, others GeneralizedTime. */
export function certificateBytes(body: CertificateBody, issuer: { readonly algorithm: Uint8Array; readonly name: Uint8Array }): Buffer {
  return sequence(
    version3,
    unsigned(body.serial),
    issuer.algorithm,
    issuer.name,
    sequence(time(body.notBefore), time(body.notAfter)),
    body.subject,
    body.publicKey,
    ...(body.extensions.length > 0 ? [context(3, encodeExtensions(body.extensions))] : []),
  );
}

const version3 = context(0, unsigned(2));
