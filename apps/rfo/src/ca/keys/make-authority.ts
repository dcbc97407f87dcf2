/** Makes CA certificates: a root that signs itself, an intermediate below it, and those by which an old and a new key vouch for each other. */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import {
  authorityInfoExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  crlPointsExtension,
  decodeCertificate,
  encodeMultiName,
  generateKey,
  type IssuerIdentity,
  keyUsageExtension,
  memoryKey,
  type Name,
  publicKeyBytes,
  sha1KeyId,
  signCertificate,
  subjectKeyIdExtension,
} from '@rfo/pki';
import { randomSerial } from '../signing/create-issuer.ts';
import { type Authority, authorityOf } from './authority.ts';

/** Kinds of keys that a CA can have. */
export type CaKeyAlgorithm = 'P-256' | 'P-384' | 'P-521' | 'RSA-2048' | 'RSA-3072' | 'RSA-4096' | 'Ed25519';

/** Milliseconds since 1970. */
export type Validity = { readonly notBefore: number; readonly notAfter: number };

/** Milliseconds by which a certificate begins before now: clocks of hosts differ. */
const backdate = 300_000;

/** From a little before now, for so many milliseconds. */
export function validityOf(now: number, lifetime: number): Validity {
  return { notBefore: now - backdate, notAfter: now + lifetime };
}

export type MadeAuthority = { readonly authority: Authority; readonly key: KeyObject };

/** A root CA that signs itself. */
export async function makeRoot(wish: { readonly subject: Name; readonly algorithm: CaKeyAlgorithm } & Validity): Promise<MadeAuthority> {
  const key = generateKey(wish.algorithm);
  const publicKey = publicKeyBytes(createPublicKey(key));
  const name = encodeMultiName(wish.subject);
  const issuer = { name, keyId: sha1KeyId(publicKey), key: memoryKey(key) };
  const der = await signAuthority({ name, publicKey, ...validityIn(wish) }, issuer);
  return { key, authority: authorityOf(decodeCertificate(der), issuer.key, 'the new root') };
}

/** A CA below another: it signs leaves and no further CA. */
export async function makeIntermediate(
  wish: { readonly subject: Name; readonly algorithm: CaKeyAlgorithm } & Validity,
  parent: Authority,
): Promise<MadeAuthority> {
  const key = generateKey(wish.algorithm);
  const publicKey = publicKeyBytes(createPublicKey(key));
  const name = encodeMultiName(wish.subject);
  const der = await signAuthority({ name, publicKey, ...within(wish, parent), pathLength: 0 }, parent.identity);
  return { key, authority: authorityOf(decodeCertificate(der), memoryKey(key), 'the new intermediate CA') };
}

/**
 * The name and key of one CA, signed by another: whoever trusts only the signer can verify what the first one signs.
 * @param urls where the signer answers for what it signed
 * @returns PEM
 */
export async function crossSign(authority: Authority, by: Authority, validity: Validity, urls: StatusUrls): Promise<string> {
  const { rawSubject, publicKey, pathLength } = authority.certificate;
  const end = Math.min(validity.notAfter, authority.certificate.notAfter);
  const wish = {
    name: rawSubject,
    publicKey,
    ...within({ ...validity, notAfter: end }, by),
    ...(pathLength !== undefined && { pathLength }),
    urls,
  };
  return authorityOf(decodeCertificate(await signAuthority(wish, by.identity)), authority.identity.key, 'a cross-signed CA').pem;
}

/** Where OCSP is answered and the CRL lies; empty: nowhere. */
export type StatusUrls = { readonly ocspUrl: string; readonly crlUrl: string };

/** What kind of key a CA has, for its successor. */
export function keyAlgorithmOf({ certificate }: Authority): CaKeyAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = new X509Certificate(certificate.der).publicKey;
  if (type === 'ed25519') return 'Ed25519';
  if (type === 'rsa')
    return (details?.modulusLength ?? 0) >= 4096 ? 'RSA-4096' : (details?.modulusLength ?? 0) >= 3072 ? 'RSA-3072' : 'RSA-2048';
  return details?.namedCurve === 'secp384r1' ? 'P-384' : details?.namedCurve === 'secp521r1' ? 'P-521' : 'P-256';
}

type CaBody = Validity & {
  readonly name: Buffer;
  readonly publicKey: Buffer;
  readonly pathLength?: number;
  readonly urls?: StatusUrls;
};

async function signAuthority(body: CaBody, issuer: IssuerIdentity): Promise<Buffer> {
  const { name, publicKey, notBefore, notAfter, pathLength, urls = { ocspUrl: '', crlUrl: '' } } = body;
  const extensions = [
    keyUsageExtension(['digitalSignature', 'keyCertSign', 'cRLSign']),
    basicConstraintsExtension(pathLength === undefined ? {} : { pathLength }),
    subjectKeyIdExtension(sha1KeyId(publicKey)),
    authorityKeyIdExtension(issuer.keyId),
    ...(urls.ocspUrl === '' ? [] : [authorityInfoExtension({ ocsp: [urls.ocspUrl] })]),
    ...(urls.crlUrl === '' ? [] : [crlPointsExtension([urls.crlUrl])]),
  ];
  return await signCertificate({ serial: randomSerial(), subject: name, publicKey, notBefore, notAfter, extensions }, issuer);
}

function validityIn({ notBefore, notAfter }: Validity): Validity {
  return { notBefore, notAfter };
}

/** Nothing outlives what signed it. */
function within({ notBefore, notAfter }: Validity, { certificate }: Authority): Validity {
  return { notBefore: Math.max(notBefore, certificate.notBefore), notAfter: Math.min(notAfter, certificate.notAfter) };
}
