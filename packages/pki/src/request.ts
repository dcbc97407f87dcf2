/** Certificate signing requests (PKCS #10, RFC 2986) as a CA of the CFSSL kind reads them: all that they ask for, and whether they are genuine. */
import { fail, RfoError } from '@rfo/foundation';
import { type AltName, decodeAltNames } from './alt-name.ts';
import type { RawExtension } from './certificate-extensions.ts';
import { tags } from './der.ts';
import { DerError, DerReader, readBits, readOid, readWhole } from './der-reader.ts';
import { decodeConstraints, decodeRawExtensions } from './extensions.ts';
import { decodeName, type Name } from './name.ts';
import { extensionOids } from './oids.ts';
import { importPublicKey, type PublicKeyInfo, readPublicKeyInfo } from './public-key.ts';
import { readScheme, type SignatureScheme, signatureAlgorithmName, verifyScheme } from './signature-scheme.ts';

export type CertificateSigningRequest = {
  /** Every attribute in order; `pkixName` gives what CFSSL takes over of it. */
  readonly subject: Name;
  readonly rawSubject: Buffer;
  readonly altNames: readonly AltName[];
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** Set when it asks to become a CA. */
  readonly ca: { readonly pathLength?: number } | undefined;
  /** All that are asked for, as they stand there. */
  readonly extensions: readonly RawExtension[];
  readonly publicKeyAlgorithm: PublicKeyInfo['algorithm'];
  readonly keyBits: number;
  /** As Go prints it: `SHA256-RSA`, `ECDSA-SHA256`, `Ed25519`; `0` is an unknown one. */
  readonly signatureAlgorithm: string;
};

/**
 * Reads a request's DER. The signature is not looked at: `checkRequestSignature` does that, so that what is no request and what is not genuine can be
 * told apart (CFSSL's 9003 and 9300). Throws signing-request-invalid.
 */
export function decodeRequest(der: Uint8Array): CertificateSigningRequest {
  return orInvalid(() => decode(der));
}

/**
 * Checks that the sender of a request holds its private key. SHA-1 is good enough for that, as it is for Go; MD5, DSA and unknown algorithms
 * are refused. Throws signing-request-invalid.
 */
export function checkRequestSignature(der: Uint8Array): void {
  const { algorithm, ...parts } = orInvalid(() => readParts(der));
  const scheme = readScheme(algorithm);
  if (scheme === undefined || scheme.digest === 'md5' || scheme.keyType === 'dsa') {
    const name = scheme?.name ?? 'an unknown algorithm';
    throw fail('signing-request-invalid', { problem: `a signature by ${name} is not accepted` });
  }
  if (!isGenuine(parts, scheme)) throw fail('signing-request-invalid', { problem: 'its signature is not one of its own key' });
}

type Parts = {
  /** What is signed. */
  readonly bytes: Buffer;
  readonly algorithm: Buffer;
  readonly signature: Buffer;
  readonly rawSubject: Buffer;
  readonly publicKey: Buffer;
  readonly attributes: Buffer | undefined;
};

/** RFC 2986 §4. */
export function readParts(der: Uint8Array): Parts {
  const whole = readWhole(der);
  const signed = whole.next(tags.sequence);
  const algorithm = whole.next(tags.sequence).raw;
  const signature = readBits(whole.next());
  whole.end();

  const body = new DerReader(signed.content);
  body.next(tags.integer);
  const rawSubject = body.next(tags.sequence).raw;
  const publicKey = body.next(tags.sequence).raw;
  const attributes = body.optional(0xa0)?.content;
  body.end();
  return { bytes: signed.raw, algorithm, signature, rawSubject, publicKey, attributes };
}

/** Turns what reading throws into the one error. */
export function orInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RfoError || !(error instanceof DerError)) throw error;
    throw fail('signing-request-invalid', { problem: error.message }, error);
  }
}

function decode(der: Uint8Array): CertificateSigningRequest {
  const { rawSubject, publicKey, algorithm, attributes } = readParts(der);
  const { algorithm: publicKeyAlgorithm, bits: keyBits } = readPublicKeyInfo(publicKey);
  const extensions = requestedExtensions(attributes);
  const altNames = extensions.find(({ oid }) => oid === extensionOids.altNames);
  const constraints = extensions.find(({ oid }) => oid === extensionOids.basicConstraints);
  return {
    subject: decodeName(rawSubject),
    rawSubject,
    altNames: altNames === undefined ? [] : decodeAltNames(altNames.content),
    publicKey,
    ca: constraints && wantedCa(constraints.content),
    extensions,
    publicKeyAlgorithm,
    keyBits,
    signatureAlgorithm: signatureAlgorithmName(algorithm),
  };
}

/** PKCS #9 attribute (RFC 2985 §5.4.2). Several of them count as one; a doubled extension is refused. */
export function requestedExtensions(attributes: Buffer | undefined): RawExtension[] {
  const found: RawExtension[][] = [];
  const reader = new DerReader(attributes ?? Buffer.alloc(0));
  while (!reader.done) {
    const attribute = reader.enter();
    if (readOid(attribute.next(tags.oid)) !== extensionRequest) continue;
    const values = attribute.enter(tags.set);
    if (!values.done) found.push(decodeRawExtensions(values.next(tags.sequence).raw));
  }
  const all = found.flat();
  if (found.length > 1 && new Set(all.map(({ oid }) => oid)).size < all.length) throw new DerError('an extension asked for twice');
  return all;
}

export const extensionRequest = '1.2.840.113549.1.9.14';

function wantedCa(content: Uint8Array): { readonly pathLength?: number } | undefined {
  const { ca, pathLength } = decodeConstraints(content);
  if (!ca) return undefined;
  return pathLength === undefined ? {} : { pathLength };
}

/** A key that node:crypto cannot use (a point off its curve, say) has signed nothing. */
function isGenuine({ bytes, signature, publicKey }: Omit<Parts, 'algorithm'>, scheme: SignatureScheme): boolean {
  try {
    return verifyScheme(bytes, { scheme, signature, publicKey: importPublicKey(publicKey) });
  } catch (error) {
    throw fail('signing-request-invalid', { problem: `its public key cannot be used (${String(error)})` }, error);
  }
}
