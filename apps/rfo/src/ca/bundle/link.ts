/** A certificate as a link of a chain: what it says, and Node's own reading of it, which verifies signatures of every kind. */
import { X509Certificate } from 'node:crypto';
import type { CertificateInfo } from '@rfo/pki';

export type Link = { readonly certificate: CertificateInfo; readonly x509: X509Certificate };

/** @throws Error where OpenSSL cannot read what we can */
export function makeLink(certificate: CertificateInfo): Link {
  return { certificate, x509: new X509Certificate(certificate.der) };
}

export function isSame(one: Link, other: Link): boolean {
  return one.certificate.der.equals(other.certificate.der);
}

/** Who signed it is itself: same key and name. */
export function isSelfSigned(link: Link): boolean {
  return link.certificate.rawIssuer.equals(link.certificate.rawSubject) && link.certificate.ca && link.x509.verify(link.x509.publicKey);
}

/** Whether each one's signature was made by the one behind it. */
export function isInOrder(chain: readonly Link[]): boolean {
  return chain.every((link, index) => {
    const signer = chain[index + 1];
    return signer === undefined || (signer.certificate.ca && link.x509.verify(signer.x509.publicKey));
  });
}
