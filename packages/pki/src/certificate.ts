/** Issues certificates: a CA signs itself, a signer signs all others. */
import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import type { AltName } from './alt-name.ts';
import {
  altNamesExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  extendedUsageExtension,
  keyUsageExtension,
  type RawExtension,
  subjectKeyIdExtension,
} from './certificate-extensions.ts';
import type { CertificateInfo } from './certificate-info.ts';
import { bitString, sequence } from './der.ts';
import { keyId } from './key.ts';
import { encodeName, type Name } from './name.ts';
import type { KeyUsage, Usage } from './oids.ts';
import { certificateBytes } from './sign-certificate.ts';
import { identifierOf, signBytes } from './signature-scheme.ts';

/** Who signs: a CA's certificate and its private key. */
export type Signer = { readonly certificate: CertificateInfo; readonly key: KeyObject };

export type CertificateRequest = {
  /** A name, or the DER of one that has to stay as it is. */
  readonly subject: Name | Uint8Array;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** Milliseconds since 1970; written in whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Makes a CA, which may sign at most `pathLength` further CAs below it. */
  readonly ca?: { readonly pathLength?: number };
  /** Default: what RFC 5280 asks of a CA; digitalSignature of a leaf, with keyEncipherment for an RSA key (TLS 1.2 key exchange). */
  readonly keyUsages?: readonly KeyUsage[];
  readonly usages?: readonly Usage[];
  readonly altNames?: readonly AltName[];
  readonly extensions?: readonly RawExtension[];
};

/**
 * A certificate's DER, X.509 version 3 (RFC 5280). The serial number is 16 random bytes, so that no signer has to count.
 * Throws alt-name-invalid, key-unsupported.
 */
export function issueCertificate(request: CertificateRequest, signer: Signer): Buffer {
  const { certificate, key } = signer;
  return sign(request, { name: certificate.rawSubject, keyId: certificate.subjectKeyId ?? keyId(certificate.publicKey), key });
}

/** The same, signed with its own key: a root CA. */
export function issueSelfSigned(request: CertificateRequest, key: KeyObject): Buffer {
  return sign(request, { name: nameBytes(request.subject), keyId: keyId(request.publicKey), key });
}

type SignedBy = { name: Buffer; keyId: Buffer; key: KeyObject };

function sign(request: CertificateRequest, by: SignedBy): Buffer {
  const algorithm = identifierOf(by.key);
  const subject = nameBytes(request.subject);
  const { publicKey, notBefore, notAfter } = request;
  const extensions = extensionsOf(request, { authorityKeyId: by.keyId, emptySubject: subject.length === emptyNameSize });
  const body = certificateBytes(
    { serial: serialNumber(), subject, publicKey, notBefore, notAfter, extensions },
    { algorithm, name: by.name },
  );
  return sequence(body, algorithm, bitString(signBytes(body, by.key)));
}

/** A leaf says that it is no CA. */
function extensionsOf(request: CertificateRequest, by: { authorityKeyId: Buffer; emptySubject: boolean }): RawExtension[] {
  const { ca, keyUsages = defaultKeyUsages(request), usages = [], altNames = [], publicKey, extensions = [] } = request;
  return [
    basicConstraintsExtension(ca),
    ...(keyUsages.length > 0 ? [keyUsageExtension(keyUsages)] : []),
    ...(usages.length > 0 ? [extendedUsageExtension(usages)] : []),
    subjectKeyIdExtension(keyId(publicKey)),
    authorityKeyIdExtension(by.authorityKeyId),
    ...(altNames.length > 0 ? [altNamesExtension(altNames, { critical: by.emptySubject })] : []),
    ...extensions,
  ];
}

const emptyNameSize = 2;

function nameBytes(name: Name | Uint8Array): Buffer {
  return name instanceof Uint8Array ? Buffer.from(name) : encodeName(name);
}

/** Positive, never zero and always of the same length: the first byte lies between 0x40 and 0x7f. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/** `digitalSignature` of a CA is for OCSP answers that it signs itself. */
function defaultKeyUsages({ ca, publicKey }: CertificateRequest): KeyUsage[] {
  if (ca !== undefined) return ['digitalSignature', 'keyCertSign', 'cRLSign'];
  return isRsa(publicKey) ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];
}

function isRsa(publicKey: Uint8Array): boolean {
  return Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).indexOf(rsaOid) > 0;
}

/** 1.2.840.113549.1.1.1 */
const rsaOid = Buffer.from('06092a864886f70d010101', 'hex');
