/** Certificate signing requests (PKCS #10, RFC 2986): made on a node, checked by the signer. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { fail, RfoError } from '@rfo/foundation';
import type { AltName } from './alt-name.ts';
import { checkedKey } from './certificate-info.ts';
import { bitString, context, oid, sequence, set, tags, unsigned } from './der.ts';
import { DerReader, readBits, readOid, readWhole } from './der-reader.ts';
import { decodeExtensions, encodeRequestedExtensions, type Usage } from './extensions.ts';
import { publicKeyBytes, signatureAlgorithm, signBytes, verifyBytes } from './key.ts';
import { decodeName, encodeName, type Name } from './name.ts';

export type SigningRequest = {
  readonly subject: Name;
  readonly altNames: readonly AltName[];
  readonly usages: readonly Usage[];
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
};

/** A request's DER, signed with its own key. Throws alt-name-invalid, key-unsupported. */
export function createSigningRequest(
  wish: { readonly subject: Name; readonly altNames?: readonly AltName[]; readonly usages?: readonly Usage[] },
  key: KeyObject,
): Buffer {
  const { subject, altNames = [], usages = [] } = wish;
  const wanted = altNames.length + usages.length > 0;
  const attribute = sequence(oid(extensionRequest), set(encodeRequestedExtensions(altNames, usages)));
  const body = sequence(
    unsigned(0),
    encodeName(subject),
    publicKeyBytes(createPublicKey(key)),
    context(0, wanted ? attribute : Buffer.alloc(0)),
  );
  return sequence(body, signatureAlgorithm(key), bitString(signBytes(body, key)));
}

/**
 * Reads a request's DER and checks that its sender holds the private key. What it asks for is only a wish: the caller decides what is signed.
 * Throws signing-request-invalid.
 */
export function readSigningRequest(der: Uint8Array): SigningRequest {
  try {
    return decode(der);
  } catch (error) {
    if (error instanceof RfoError) throw error;
    throw fail('signing-request-invalid', { problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

/** PKCS #9 attribute (RFC 2985 §5.4.2). */
const extensionRequest = '1.2.840.113549.1.9.14';

function decode(der: Uint8Array): SigningRequest {
  const whole = readWhole(der);
  const signed = whole.next(tags.sequence);
  const algorithm = whole.next(tags.sequence).raw;
  const signature = readBits(whole.next());
  whole.end();

  const body = new DerReader(signed.content);
  body.next(tags.integer);
  const subject = decodeName(body.next(tags.sequence).raw);
  const publicKey = checkedKey(body.next(tags.sequence));
  const attributes = body.optional(0xa0);
  body.end();

  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  if (!verifyBytes(signed.raw, { algorithm, signature, publicKey: key }))
    throw fail('signing-request-invalid', { problem: 'its signature is not one of its own key' });
  return { subject, publicKey, ...wishes(attributes?.content) };
}

function wishes(attributes: Buffer | undefined): { altNames: readonly AltName[]; usages: readonly Usage[] } {
  const reader = new DerReader(attributes ?? Buffer.alloc(0));
  while (!reader.done) {
    const attribute = reader.enter();
    if (readOid(attribute.next(tags.oid)) !== extensionRequest) continue;
    return decodeExtensions(attribute.enter(tags.set).next(tags.sequence).raw);
  }
  return { altNames: [], usages: [] };
}
