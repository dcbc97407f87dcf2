/** How a certificate was signed, in cfssl's words. */
import type { CertificateInfo } from '@rfo/pki';

/** DER of the object identifiers as hex, without tag and length (RFC 8017, RFC 5758, RFC 8410). */
const names = new Map([
  ['2a864886f70d010104', 'MD5WithRSA'],
  ['2a864886f70d010105', 'SHA1WithRSA'],
  ['2a864886f70d01010b', 'SHA256WithRSA'],
  ['2a864886f70d01010c', 'SHA384WithRSA'],
  ['2a864886f70d01010d', 'SHA512WithRSA'],
  ['2a8648ce3d0401', 'ECDSAWithSHA1'],
  ['2a8648ce3d040302', 'ECDSAWithSHA256'],
  ['2a8648ce3d040303', 'ECDSAWithSHA384'],
  ['2a8648ce3d040304', 'ECDSAWithSHA512'],
  ['2b6570', 'Ed25519'],
]);

export function signatureName(certificate: Pick<CertificateInfo, 'signatureAlgorithm'>): string {
  // AlgorithmIdentifier: a sequence whose first member is the object identifier; all of them are shorter than 128 bytes.
  const identifier = certificate.signatureAlgorithm;
  const length = identifier[3] ?? 0;
  return names.get(identifier.subarray(4, 4 + length).toString('hex')) ?? 'Unknown Signature';
}
