/** Private keys: made, written and read. */
import { createPrivateKey, generateKeyPair, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { fail } from '@rfo/foundation';
import { readBits, readWhole } from './der-reader.ts';
import { decodePem, encodePem } from './pem.ts';
import { readScheme, verifyScheme } from './signature-scheme.ts';

/** RSA of 2048 to 8192 bits. */
export type KeyAlgorithm = 'P-256' | 'P-384' | 'P-521' | 'Ed25519' | `RSA-${number}`;

/** Makes a private key. P-256 takes 0.03 ms; RSA of 2048 bits some 100 ms, of 8192 many seconds. Throws key-unsupported. */
export function generateKey(algorithm: KeyAlgorithm = 'P-256'): KeyObject {
  if (algorithm === 'Ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (isCurve(algorithm)) return generateKeyPairSync('ec', { namedCurve: algorithm }).privateKey;
  return generateKeyPairSync('rsa', { modulusLength: rsaSize(algorithm) }).privateKey;
}

/** The same on another thread: for RSA keys that somebody on the network asks for. */
export async function generateKeyAside(algorithm: KeyAlgorithm): Promise<KeyObject> {
  if (algorithm === 'Ed25519' || isCurve(algorithm)) return generateKey(algorithm);
  return (await promisify(generateKeyPair)('rsa', { modulusLength: rsaSize(algorithm) })).privateKey;
}

/**
 * PEM of a private key. `sec1` (`EC PRIVATE KEY`, for RSA its twin PKCS1) is what Kubernetes tools write, `pkcs8` what everything reads, and
 * all there is for Ed25519; `cfssl` is sec1 but for Ed25519, whose PKCS8 it labels `Ed25519 PRIVATE KEY`.
 */
export function encodeKey(key: KeyObject, form: 'sec1' | 'pkcs8' | 'cfssl' = 'sec1'): string {
  const edwards = key.asymmetricKeyType === 'ed25519';
  if (edwards && form === 'cfssl') return encodePem(edwardsLabel, key.export({ type: 'pkcs8', format: 'der' }));
  const type = form === 'pkcs8' || edwards ? 'pkcs8' : key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1';
  return String(key.export({ type, format: 'pem' }));
}

/**
 * Reads a private key in PEM: PKCS8, PKCS1, SEC1, and what CFSSL writes for Ed25519. The passphrase is for an encrypted one, be it PKCS8 or
 * the older form with `Proc-Type`. Throws key-unreadable; `where` names the file in it.
 */
export function decodeKey(pem: string, where: string, passphrase?: string): KeyObject {
  if (passphrase === undefined && encrypted.test(pem))
    throw fail('key-unreadable', { where, problem: 'it is encrypted, and no passphrase was given' });
  const edwards = decodePem(pem).find(({ label }) => label === edwardsLabel);
  try {
    if (edwards !== undefined) return createPrivateKey({ key: edwards.bytes, format: 'der', type: 'pkcs8' });
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (error) {
    throw fail('key-unreadable', { where, problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

/** The key's own 20 bytes of name: the left of SHA-256 over the public key's bits (RFC 7093 §2, the way of Go since 1.25; no SHA-1). */
export function keyId(publicKey: Uint8Array): Buffer {
  return hash('sha256', publicKeyBits(publicKey), 'buffer').subarray(0, 20);
}

/** The same by SHA-1 (RFC 5280 §4.2.1.2 way 1), as CFSSL names keys and OCSP asks for them; a name only, nothing rests on its strength. */
export function sha1KeyId(publicKey: Uint8Array): Buffer {
  return hash('sha1', publicKeyBits(publicKey), 'buffer');
}

/** SubjectPublicKeyInfo, the DER of the public half. */
export function publicKeyBytes(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

/**
 * Whether `signature` over `bytes` is one of `publicKey`, made with the algorithm of that DER AlgorithmIdentifier. An unknown algorithm is no,
 * and so is one that is too weak for certificates.
 */
export function verifyBytes(bytes: Uint8Array, input: { algorithm: Uint8Array; signature: Uint8Array; publicKey: KeyObject }): boolean {
  const scheme = readScheme(input.algorithm);
  return scheme?.strong === true && verifyScheme(bytes, { scheme, signature: input.signature, publicKey: input.publicKey });
}

const edwardsLabel = 'Ed25519 PRIVATE KEY';
const encrypted = /^(-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m;

function isCurve(algorithm: KeyAlgorithm): algorithm is 'P-256' | 'P-384' | 'P-521' {
  return algorithm === 'P-256' || algorithm === 'P-384' || algorithm === 'P-521';
}

function rsaSize(algorithm: KeyAlgorithm): number {
  const bits = Number(/^RSA-(\d{4})$/.exec(algorithm)?.[1]);
  if (!(bits >= 2048 && bits <= 8192)) throw fail('key-unsupported', { kind: algorithm });
  return bits;
}

/** The content of the BIT STRING. */
function publicKeyBits(publicKey: Uint8Array): Buffer {
  const info = readWhole(publicKey);
  info.next();
  return readBits(info.next());
}
