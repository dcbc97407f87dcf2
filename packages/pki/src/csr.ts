/** Certificate signing requests (PKCS #10, RFC 2986): made on a node, checked by the signer. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { fail } from '@rfo/foundation';
import type { AltName } from './alt-name.ts';
import { altNamesExtension, encodeExtensions, extendedUsageExtension, type RawExtension } from './certificate-extensions.ts';
import { bitString, context, oid, sequence, set, unsigned } from './der.ts';
import { readExtensions } from './extensions.ts';
import { publicKeyBytes, verifyBytes } from './key.ts';
import { decodeName, encodeName, type Name } from './name.ts';
import type { Usage } from './oids.ts';
import { importPublicKey, readPublicKeyInfo } from './public-key.ts';
import { extensionRequest, orInvalid, readParts, requestedExtensions } from './request.ts';
import { identifierOf, signBytes } from './signature-scheme.ts';

export type SigningRequest = {
  readonly subject: Name;
  readonly altNames: readonly AltName[];
  readonly usages: readonly Usage[];
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** The same, ready for use. */
  readonly key: KeyObject;
};

export type RequestWish = {
  /** A name, or the DER of one that has to be written in another way. */
  readonly subject: Name | Uint8Array;
  readonly altNames?: readonly AltName[];
  readonly usages?: readonly Usage[];
  /** Further extensions to ask for, after those. */
  readonly extensions?: readonly RawExtension[];
};

/** A request's DER, signed with its own key. Throws alt-name-invalid, key-unsupported. */
export function createSigningRequest(wish: RequestWish, key: KeyObject): Buffer {
  const { subject, altNames = [], usages = [], extensions = [] } = wish;
  const wanted = [
    ...(usages.length > 0 ? [extendedUsageExtension(usages)] : []),
    ...(altNames.length > 0 ? [altNamesExtension(altNames)] : []),
    ...extensions,
  ];
  const attribute = wanted.length > 0 ? sequence(oid(extensionRequest), set(encodeExtensions(wanted))) : Buffer.alloc(0);
  const body = sequence(
    unsigned(0),
    subject instanceof Uint8Array ? subject : encodeName(subject),
    publicKeyBytes(createPublicKey(key)),
    context(0, attribute),
  );
  return sequence(body, identifierOf(key), bitString(signBytes(body, key)));
}

/**
 * Reads a request's DER and checks that its sender holds the private key, by an algorithm that is good enough for certificates. What it asks
 * for is only a wish: the caller decides what is signed. Throws signing-request-invalid.
 */
export function readSigningRequest(der: Uint8Array): SigningRequest {
  const { parts, request } = orInvalid(() => decode(der));
  const key = keyOf(parts);
  if (!isGenuine(parts, key)) throw fail('signing-request-invalid', { problem: 'its signature is not one of its own key' });
  return { ...request, key };
}

type Parts = ReturnType<typeof readParts>;

function decode(der: Uint8Array): { parts: Parts; request: Omit<SigningRequest, 'key'> } {
  const parts = readParts(der);
  const { rawSubject, publicKey, attributes } = parts;
  readPublicKeyInfo(publicKey);
  const { altNames, usages } = readExtensions(requestedExtensions(attributes));
  return { parts, request: { subject: decodeName(rawSubject), publicKey, altNames, usages } };
}

function keyOf({ publicKey }: Parts): KeyObject {
  try {
    return importPublicKey(publicKey);
  } catch (error) {
    throw unusable(error);
  }
}

function isGenuine({ bytes, algorithm, signature }: Parts, publicKey: KeyObject): boolean {
  try {
    return verifyBytes(bytes, { algorithm, signature, publicKey });
  } catch (error) {
    throw unusable(error);
  }
}

function unusable(error: unknown): Error {
  return fail('signing-request-invalid', { problem: `its public key cannot be used (${String(error)})` }, error);
}
