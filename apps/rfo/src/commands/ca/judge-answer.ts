// Whether an OCSP answer is to be believed (RFC 6960 §3.2, §4.2.2.2).
import { createPublicKey } from 'node:crypto';
import {
  type CertificateInfo,
  decodeCertificate,
  isSignedBy,
  type OcspAnswer,
  type OcspCertificateId,
  type OcspResponse,
  sha1KeyId,
  verifyBytes,
} from '@rfo/pki';

export type Asked = {
  readonly id: Pick<OcspCertificateId, 'raw'>;
  /** Certificate of the CA that signed the one in question. */
  readonly issuer: CertificateInfo;
  readonly nonce: Buffer;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** Milliseconds by which clocks may differ. */
const skew = 300_000;

/** The answer to what was asked, or why there is none. Responders that repeat no nonce are believed until their answer's end. */
export function judgeOcspAnswer(
  response: OcspResponse,
  { id, issuer, nonce, now }: Asked,
): (OcspAnswer & { readonly producedAt: number }) | { readonly problem: string } {
  if (response.kind === 'error') return { problem: `it answers ${response.error}` };
  const signer = signerOf(response, issuer, now);
  if (signer === undefined) return { problem: 'nobody signed it whom the CA has charged with it' };
  const { signedBytes, signatureAlgorithm: algorithm, signature, producedAt } = response;
  const publicKey = createPublicKey({ key: signer.publicKey, format: 'der', type: 'spki' });
  if (!verifyBytes(signedBytes, { algorithm, signature, publicKey })) return { problem: 'its signature is wrong' };
  if (response.nonce !== undefined && !response.nonce.equals(nonce)) return { problem: 'it answers another question' };
  const answer = response.answers.find((one) => one.id.raw.equals(id.raw));
  if (answer === undefined) return { problem: 'it says nothing of this certificate' };
  if (answer.thisUpdate > now + skew) return { problem: 'it is of the future' };
  if (answer.nextUpdate !== undefined && answer.nextUpdate < now - skew) return { problem: 'it is out of date' };
  return { ...answer, producedAt };
}

/** The CA itself, or a certificate that came along, was issued by it for OCSP signing, and is valid. */
function signerOf(response: Extract<OcspResponse, { kind: 'answer' }>, issuer: CertificateInfo, now: number): CertificateInfo | undefined {
  const delegated = response.certificates
    .map((der) => decodeCertificate(der, "the responder's certificate"))
    .filter((certificate) => mayAnswer(certificate, issuer, now));
  return [issuer, ...delegated].find((certificate) => isNamed(response.responder, certificate));
}

function mayAnswer(certificate: CertificateInfo, issuer: CertificateInfo, now: number): boolean {
  const valid = certificate.notBefore <= now + skew && certificate.notAfter > now;
  return valid && certificate.usages.includes('ocspSigning') && isSignedBy(certificate, issuer);
}

function isNamed(responder: Extract<OcspResponse, { kind: 'answer' }>['responder'], certificate: CertificateInfo): boolean {
  if ('name' in responder) return responder.name.equals(certificate.rawSubject);
  return responder.keyHash.equals(sha1KeyId(certificate.publicKey));
}
