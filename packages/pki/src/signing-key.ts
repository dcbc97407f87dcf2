/** What signs: a key in memory now, one in a device later. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { publicKeyBytes } from './key.ts';
import { identifierOf, signBytes, signBytesAside } from './signature-scheme.ts';

/** All that a CA needs of its key, so narrow that a device can stand behind it. */
export type SigningKey = {
  /** DER of the AlgorithmIdentifier that its signatures are made with. */
  readonly algorithm: Buffer;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** A signature over these bytes, hash included. */
  readonly sign: (bytes: Uint8Array) => Promise<Buffer>;
};

/** A CA as far as it signs: certificates, CRLs, OCSP answers. */
export type IssuerIdentity = {
  /** DER of its subject. */
  readonly name: Buffer;
  /** Its subject key id, which what it signs carries as authority key id. */
  readonly keyId: Buffer;
  readonly key: SigningKey;
};

/**
 * A private key of node:crypto. It hashes as CFSSL does: RSA from 4096 bits on by SHA-512, from 3072 on by SHA-384, smaller by SHA-256; P-256, P-384
 * and P-521 by SHA-256, SHA-384 and SHA-512. What takes longer than the way to another thread and back is signed there. Throws key-unsupported.
 */
export function memoryKey(key: KeyObject): SigningKey {
  const quick = key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return {
    algorithm: identifierOf(key),
    publicKey: publicKeyBytes(createPublicKey(key)),
    sign: quick ? async (bytes) => signBytes(bytes, key) : (bytes) => signBytesAside(bytes, key),
  };
}
