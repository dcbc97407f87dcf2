/** A CA and a leaf made in one line, for tests. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type CertificateRequest, issueCertificate, issueSelfSigned, type Signer } from './certificate.ts';
import { type CertificateInfo, decodeCertificate } from './certificate-info.ts';
import { generateKey, type KeyAlgorithm, publicKeyBytes } from './key.ts';
import { identity } from './name.ts';

export const day = 86_400_000;
export const now = Date.parse('2026-11-21T10:00:00Z');

export function testAuthority(
  name: string,
  options: { key?: KeyAlgorithm; under?: Signer; change?: Partial<CertificateRequest> } = {},
): Signer {
  const key = generateKey(options.key);
  const request: CertificateRequest = {
    subject: identity(name),
    publicKey: publicBytes(key),
    notBefore: now - day,
    notAfter: now + 3650 * day,
    ca: {},
    ...options.change,
  };
  const der = options.under ? issueCertificate(request, options.under) : issueSelfSigned(request, key);
  return { certificate: decodeCertificate(der), key };
}

export function testLeaf(signer: Signer, change: Partial<CertificateRequest> = {}): CertificateInfo {
  const request: CertificateRequest = {
    subject: identity('leaf'),
    publicKey: publicBytes(generateKey()),
    notBefore: now - day,
    notAfter: now + 365 * day,
    usages: ['serverAuth'],
    ...change,
  };
  return decodeCertificate(issueCertificate(request, signer));
}

export function publicBytes(key: KeyObject): Buffer {
  return publicKeyBytes(createPublicKey(key));
}
