export { type AltName, formatAltName, hostNames } from './alt-name.ts';
export { type CertificateRequest, issueCertificate, issueSelfSigned, type Signer } from './certificate.ts';
export {
  altNamesExtension,
  authorityInfoExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  type CertificatePolicy,
  crlPointsExtension,
  extendedUsageExtension,
  keyUsageExtension,
  ocspNoCheckExtension,
  policiesExtension,
  type RawExtension,
  subjectKeyIdExtension,
} from './certificate-extensions.ts';
export { type CertificateInfo, certificateInfo, certificateInfos, decodeCertificate } from './certificate-info.ts';
export { type CertificateUrls, certificateUrls } from './certificate-urls.ts';
export { findChain, isSelfSigned, isSignedBy, type Trust } from './chain.ts';
export { type CrlBody, type CrlInfo, decodeCrl, encodeCrl, type RevokedCertificate } from './crl.ts';
export { createSigningRequest, type RequestWish, readSigningRequest, type SigningRequest } from './csr.ts';
export { isOid } from './der.ts';
export type { Extensions } from './extensions.ts';
export { bytesToIp, canonicalIp, ipToBytes } from './ip.ts';
export {
  decodeKey,
  encodeKey,
  generateKey,
  generateKeyAside,
  type KeyAlgorithm,
  keyId,
  publicKeyBytes,
  sha1KeyId,
  verifyBytes,
} from './key.ts';
export { encodeMultiName, pkixName } from './multi-name.ts';
export { encodeName, formatName, identity, type Name, type NameAttribute, type NameType, nameValue } from './name.ts';
export {
  hashIssuer,
  type OcspCertificateId,
  type OcspHash,
  type OcspIssuer,
  ocspCertificateId,
  ocspHashes,
} from './ocsp-certificate-id.ts';
export { createOcspRequest, decodeOcspRequest, type OcspRequest } from './ocsp-request.ts';
export {
  encodeOcspError,
  encodeOcspResponse,
  type OcspAnswer,
  type OcspError,
  type OcspResponder,
  type OcspResponseBody,
  type OcspStatus,
} from './ocsp-response.ts';
export { decodeOcspResponse, type OcspResponse } from './ocsp-response-reader.ts';
export type { KeyUsage, Usage } from './oids.ts';
export { decodePem, encodePem, type PemBlock } from './pem.ts';
export { type PublicKeyInfo, publicKeyInfo } from './public-key.ts';
export { type CertificateSigningRequest, checkRequestSignature, decodeRequest } from './request.ts';
export { type CertificateBody, signCertificate } from './sign-certificate.ts';
export { signatureAlgorithmName } from './signature-scheme.ts';
export { type IssuerIdentity, memoryKey, type SigningKey } from './signing-key.ts';
