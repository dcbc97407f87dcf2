/** How signatures are made and checked: algorithm identifiers, the kinds of keys that use them, and their names. */
import { constants, type KeyObject, sign, type VerifyKeyObjectInput, verify } from 'node:crypto';
import { fail } from '@rfo/foundation';
import { nothing, oid, sequence, tags } from './der.ts';
import { DerError, DerReader, readOid, readUnsigned, readWhole } from './der-reader.ts';

export type SignatureScheme = {
  /** As Go's crypto/x509 prints it, which is what CFSSL shows. */
  readonly name: string;
  readonly keyType: 'rsa' | 'ec' | 'ed25519' | 'dsa';
  /** Undefined where the algorithm has its own. */
  readonly digest: string | undefined;
  /** Bytes of salt of RSASSA-PSS. */
  readonly salt?: number;
  /** Good enough for certificates: what is not can only be checked on a request, whose sender proves that he has the key. */
  readonly strong: boolean;
};

/** DER of the AlgorithmIdentifier with which `key` signs: SHA-512 from RSA-4096 and P-521 on, SHA-384 from RSA-3072 and P-384 on. Throws key-unsupported. */
export function identifierOf(key: KeyObject): Buffer {
  return Buffer.from(ownScheme(key).identifier);
}

/** A signature with the algorithm of `identifierOf`. Throws key-unsupported. */
export function signBytes(bytes: Uint8Array, key: KeyObject): Buffer {
  return sign(ownScheme(key).scheme.digest, bytes, key);
}

/** The same, made on another thread. */
export function signBytesAside(bytes: Uint8Array, key: KeyObject): Promise<Buffer> {
  const { digest } = ownScheme(key).scheme;
  return new Promise((resolve, reject) => {
    sign(digest, bytes, key, (error, signature) => (error ? reject(error) : resolve(signature)));
  });
}

/** The scheme of a DER AlgorithmIdentifier, undefined for one that we do not know. */
export function readScheme(identifier: Uint8Array): SignatureScheme | undefined {
  try {
    const reader = readWhole(identifier);
    const id = readOid(reader.next(tags.oid));
    if (id === pssOid) return readPss(reader);
    const scheme = schemes.get(id);
    if (scheme?.keyType === 'ed25519' || reader.done) return reader.done ? scheme : undefined;
    const nullParameters = reader.next(tags.null).content.length === 0 && reader.done;
    return nullParameters ? scheme : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Name of a DER AlgorithmIdentifier as Go prints it (`SHA256-RSA`, `ECDSA-SHA256`, `Ed25519`); `0` is one that it does not know. */
export function signatureAlgorithmName(identifier: Uint8Array): string {
  return readScheme(identifier)?.name ?? '0';
}

/** Whether `signature` over `bytes` was made by that key in that way. */
export function verifyScheme(
  bytes: Uint8Array,
  input: { readonly scheme: SignatureScheme; readonly signature: Uint8Array; readonly publicKey: KeyObject },
): boolean {
  const { scheme, signature, publicKey } = input;
  if (scheme.keyType !== publicKey.asymmetricKeyType) return false;
  const key: KeyObject | VerifyKeyObjectInput =
    scheme.salt === undefined ? publicKey : { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.salt };
  return verify(scheme.digest, bytes, key, signature);
}

type OwnScheme = { readonly scheme: SignatureScheme; readonly identifier: Buffer };

function ownScheme(key: KeyObject): OwnScheme {
  const known = ownSchemes.get(key);
  if (known !== undefined) return known;
  const name = ownName(key);
  const [id, scheme] = [...schemes].find(([, candidate]) => candidate.name === name) ?? [];
  if (id === undefined || scheme === undefined) throw fail('key-unsupported', { kind: kindOf(key) });
  // RFC 4055 §5: the parameters of RSA are NULL; RFC 5758 §3.2 and RFC 8410 §3: those of the others are absent.
  const made = { scheme, identifier: sequence(oid(id), ...(scheme.keyType === 'rsa' ? [nothing()] : [])) };
  ownSchemes.set(key, made);
  return made;
}

function ownName(key: KeyObject): string {
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return modulusLength >= 4096 ? 'SHA512-RSA' : modulusLength >= 3072 ? 'SHA384-RSA' : 'SHA256-RSA';
  const digest = curveDigests[namedCurve];
  if (digest === undefined) throw fail('key-unsupported', { kind: kindOf(key) });
  return `ECDSA-${digest}`;
}

function kindOf(key: KeyObject): string {
  return key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'of no known kind';
}

const curveDigests: Readonly<Record<string, string>> = { prime256v1: 'SHA256', secp384r1: 'SHA384', secp521r1: 'SHA512' };
/** A CA asks for that of its one key with every certificate. */
const ownSchemes = new WeakMap<KeyObject, OwnScheme>();

/** RFC 3279 §2.2, RFC 4055 §5, RFC 5758 §3, RFC 8410 §3. MD5 and DSA have names and are never checked: no Go does it either. */
const schemes: ReadonlyMap<string, SignatureScheme> = new Map<string, SignatureScheme>([
  ['1.2.840.10045.4.3.2', { name: 'ECDSA-SHA256', keyType: 'ec', digest: 'sha256', strong: true }],
  ['1.2.840.10045.4.3.3', { name: 'ECDSA-SHA384', keyType: 'ec', digest: 'sha384', strong: true }],
  ['1.2.840.10045.4.3.4', { name: 'ECDSA-SHA512', keyType: 'ec', digest: 'sha512', strong: true }],
  ['1.2.840.113549.1.1.11', { name: 'SHA256-RSA', keyType: 'rsa', digest: 'sha256', strong: true }],
  ['1.2.840.113549.1.1.12', { name: 'SHA384-RSA', keyType: 'rsa', digest: 'sha384', strong: true }],
  ['1.2.840.113549.1.1.13', { name: 'SHA512-RSA', keyType: 'rsa', digest: 'sha512', strong: true }],
  ['1.3.101.112', { name: 'Ed25519', keyType: 'ed25519', digest: undefined, strong: true }],
  ['1.2.840.10045.4.1', { name: 'ECDSA-SHA1', keyType: 'ec', digest: 'sha1', strong: false }],
  ['1.2.840.113549.1.1.5', { name: 'SHA1-RSA', keyType: 'rsa', digest: 'sha1', strong: false }],
  ['1.3.14.3.2.29', { name: 'SHA1-RSA', keyType: 'rsa', digest: 'sha1', strong: false }],
  ['1.2.840.113549.1.1.4', { name: 'MD5-RSA', keyType: 'rsa', digest: 'md5', strong: false }],
  ['1.2.840.10040.4.3', { name: 'DSA-SHA1', keyType: 'dsa', digest: 'sha1', strong: false }],
  ['2.16.840.1.101.3.4.3.2', { name: 'DSA-SHA256', keyType: 'dsa', digest: 'sha256', strong: false }],
]);

/** RFC 4055 §3.1, of which Go knows three sorts: one hash for message and mask, and a salt of its length. */
const pssOid = '1.2.840.113549.1.1.10';
const maskOid = '1.2.840.113549.1.1.8';
const pssSchemes: ReadonlyMap<string, SignatureScheme> = new Map<string, SignatureScheme>([
  ['2.16.840.1.101.3.4.2.1', { name: 'SHA256-RSAPSS', keyType: 'rsa', digest: 'sha256', salt: 32, strong: true }],
  ['2.16.840.1.101.3.4.2.2', { name: 'SHA384-RSAPSS', keyType: 'rsa', digest: 'sha384', salt: 48, strong: true }],
  ['2.16.840.1.101.3.4.2.3', { name: 'SHA512-RSAPSS', keyType: 'rsa', digest: 'sha512', salt: 64, strong: true }],
]);

function readPss(reader: DerReader): SignatureScheme | undefined {
  const parameters = reader.enter();
  reader.end();
  const hash = readOid(parameters.enter(0xa0).enter().next(tags.oid));
  const mask = parameters.enter(0xa1).enter();
  const maskKind = readOid(mask.next(tags.oid));
  const maskHash = readOid(mask.enter().next(tags.oid));
  const salt = readUnsigned(parameters.enter(0xa2).next(tags.integer));
  const trailer = parameters.optional(0xa3);
  const trailerField = trailer === undefined ? 1n : readUnsigned(new DerReader(trailer.content).next(tags.integer));
  const scheme = pssSchemes.get(hash);
  return maskKind === maskOid && maskHash === hash && trailerField === 1n && salt === BigInt(scheme?.salt ?? -1) ? scheme : undefined;
}
