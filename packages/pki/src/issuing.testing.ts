/** A CA and a leaf made in one line, for tests. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type CertificateRequest, issueCertificate, issueSelfSigned, type Signer } from './certificate.ts';
import { subjectKeyIdExtension } from './certificate-extensions.ts';
import { type CertificateInfo, decodeCertificate } from './certificate-info.ts';
import { generateKey, type KeyAlgorithm, publicKeyBytes, sha1KeyId } from './key.ts';
import { encodeName, identity } from './name.ts';
import { type CertificateBody, signCertificate } from './sign-certificate.ts';
import { type IssuerIdentity, memoryKey } from './signing-key.ts';

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

/** DER of a certificate that is written as it is told: what is not given is that of a plain leaf under a CA of its own. */
export async function signedCertificate(change: Partial<CertificateBody> & { readonly issuer?: IssuerIdentity } = {}): Promise<Buffer> {
  const { issuer = testIdentity(), ...body } = change;
  const publicKey = publicBytes(generateKey());
  const plain = { serial: Buffer.from([1]), subject: encodeName(identity('leaf')), notBefore: now - day, notAfter: now + day };
  return signCertificate({ ...plain, publicKey, extensions: [subjectKeyIdExtension(sha1KeyId(publicKey))], ...body }, issuer);
}

function testIdentity(): IssuerIdentity {
  const key = memoryKey(generateKey());
  return { name: encodeName(identity('ca')), keyId: sha1KeyId(key.publicKey), key };
}

export function publicBytes(key: KeyObject): Buffer {
  return publicKeyBytes(createPublicKey(key));
}
