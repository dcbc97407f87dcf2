import { type AltName, type Name, nameValue } from '@rfo/pki';
import type { CertificateRecord } from './types.ts';

export type Signed = Pick<CertificateRecord, 'serial' | 'authorityKeyId' | 'caLabel' | 'metadata' | 'pem'> & {
  readonly subject: Name;
  readonly altNames: readonly AltName[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
};

/** What the database keeps of a certificate that was signed just now. Of its names those of DNS alone, as cfssl does. */
export function signedRecord({ subject, altNames, notBefore, notAfter, ...same }: Signed, now: number): CertificateRecord {
  return {
    ...same,
    status: 'good',
    reason: 0,
    expiry: notAfter,
    revokedAt: undefined,
    issuedAt: now,
    notBefore,
    sans: altNames.flatMap(({ type, value }) => (type === 'dns' ? [value] : [])),
    commonName: nameValue(subject, 'CN') ?? '',
  };
}
