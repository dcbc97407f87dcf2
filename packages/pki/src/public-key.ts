/** Public keys as certificates carry them (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7): their kind and size, and their use. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { tags } from './der.ts';
import { DerError, type DerReader, type DerValue, readBits, readOid, readWhole } from './der-reader.ts';

/** The kind as Go prints it; of an elliptic curve the bits are those of its field. */
export type PublicKeyInfo = { readonly algorithm: 'RSA' | 'ECDSA' | 'Ed25519' | 'DSA'; readonly bits: number };

/** Kind and size of a SubjectPublicKeyInfo, undefined for a key that nothing here knows. */
export function publicKeyInfo(spki: Uint8Array): PublicKeyInfo | undefined {
  try {
    return readPublicKeyInfo(spki);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** The same. Throws DerError for a key that is damaged or of an unknown kind. */
export function readPublicKeyInfo(spki: Uint8Array): PublicKeyInfo {
  const info = readWhole(spki);
  const algorithm = info.enter();
  const id = readOid(algorithm.next(tags.oid));
  const key = readBits(info.next());
  info.end();
  if (id === '1.2.840.113549.1.1.1') return { algorithm: 'RSA', bits: rsaBits(key, algorithm) };
  if (id === '1.2.840.10045.2.1') return { algorithm: 'ECDSA', bits: curveBits(key, algorithm) };
  if (id === '1.3.101.112' && algorithm.done && key.length === 32) return { algorithm: 'Ed25519', bits: 256 };
  if (id === '1.2.840.10040.4.1') return { algorithm: 'DSA', bits: positiveBits(algorithm.enter().next(tags.integer)) };
  throw new DerError('a public key of an unknown kind');
}

/** A key to check signatures with. Throws what node:crypto throws. */
export function importPublicKey(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength), format: 'der', type: 'spki' });
}

/** RFC 3279 §2.3.1: parameters NULL, modulus and exponent as numbers that are not negative. */
function rsaBits(key: Buffer, algorithm: DerReader): number {
  algorithm.next(tags.null);
  const numbers = readWhole(key);
  const modulus = positiveBits(numbers.next(tags.integer));
  positiveBits(numbers.next(tags.integer));
  numbers.end();
  return modulus;
}

/** RFC 5480: a named curve, and a point on it that is not compressed. */
function curveBits(key: Buffer, algorithm: DerReader): number {
  const bits = curves.get(readOid(algorithm.next(tags.oid)));
  if (bits === undefined) throw new DerError('an elliptic curve that is not supported');
  if (key[0] !== 4 || key.length !== 1 + 2 * Math.ceil(bits / 8)) throw new DerError('a point that is not one of its curve');
  return bits;
}

const curves: ReadonlyMap<string, number> = new Map([
  ['1.3.132.0.33', 224],
  ['1.2.840.10045.3.1.7', 256],
  ['1.3.132.0.34', 384],
  ['1.3.132.0.35', 521],
]);

/** How many bits a number above zero has; not by way of a bigint, which takes longer than all the rest. */
function positiveBits(value: DerValue): number {
  const { content } = value;
  const [first = 0x80, second = 0] = content;
  if (first >= 0x80 || (first === 0 && second < 0x80)) throw new DerError('a number that is not positive, or not minimal');
  return first === 0 ? (content.length - 1) * 8 : content.length * 8 - Math.clz32(first) + 24;
}
