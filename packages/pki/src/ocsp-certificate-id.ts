/** How OCSP names a certificate: hashes of its issuer's name and key, and its serial number (RFC 6960 §4.1.1). */
import { hash as digest } from 'node:crypto';
import { nothing, octetString, oid, sequence, tagged, tags } from './der.ts';
import { DerError, DerReader, type DerValue, readBits, readOid, readWhole } from './der-reader.ts';

export type OcspHash = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

export type OcspCertificateId = {
  /** Undefined for an algorithm that is none of ours: such an issuer cannot be recognised. */
  readonly hash: OcspHash | undefined;
  readonly nameHash: Buffer;
  readonly keyHash: Buffer;
  readonly serial: bigint;
  /** DER. An answer repeats it byte by byte, as clients compare these bytes. */
  readonly raw: Buffer;
};

/** Of which CA the identified certificate is: both as they stand in the CA's own certificate. */
export type OcspIssuer = {
  /** DER of its subject. */
  readonly name: Uint8Array;
  /** DER of its SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
};

/** The name of the certificate with this serial number. */
export function ocspCertificateId(serial: bigint, issuer: OcspIssuer, hash: OcspHash): OcspCertificateId {
  const { nameHash, keyHash } = hashIssuer(issuer, hash);
  const raw = sequence(
    sequence(oid(hashOids[hash]), nothing()),
    octetString(nameHash),
    octetString(keyHash),
    tagged(tags.integer, integerBytes(serial)),
  );
  return { hash, nameHash, keyHash, serial, raw };
}

/** What the identifiers of every certificate of this CA have in common. */
export function hashIssuer({ name, publicKey }: OcspIssuer, hash: OcspHash): { readonly nameHash: Buffer; readonly keyHash: Buffer } {
  return { nameHash: digest(hash, name, 'buffer'), keyHash: digest(hash, keyBits(publicKey), 'buffer') };
}

/** Reads the DER of a CertID. Throws DerError. */
export function decodeCertificateId({ raw, content }: DerValue): OcspCertificateId {
  const reader = new DerReader(content);
  const algorithm = reader.enter();
  const hash = hashNames.get(readOid(algorithm.next(tags.oid)));
  // None of the algorithms has parameters: NULL or nothing, so that one certificate has not countless names.
  const parameters = algorithm.optional(tags.null);
  if (parameters !== undefined && parameters.content.length > 0) throw new DerError('a NULL that holds something');
  algorithm.end();
  const nameHash = reader.next(tags.octetString).content;
  const keyHash = reader.next(tags.octetString).content;
  const serial = readInteger(reader.next(tags.integer));
  reader.end();
  return { hash, nameHash, keyHash, serial, raw };
}

/** The bits of a public key that its hashes are made of: without algorithm, tag and count of unused bits. Throws DerError. */
export function keyBits(publicKey: Uint8Array): Buffer {
  const info = readWhole(publicKey);
  info.next(tags.sequence);
  return readBits(info.next());
}

/** A whole number of any sign. Throws DerError when it is longer than any serial number can sensibly be. */
export function readInteger({ content }: DerValue): bigint {
  const [first, second] = content;
  if (first === undefined || content.length > longestInteger) throw new DerError('a number of no sensible length');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
    throw new DerError('a number that is not minimal');
  const value = BigInt(`0x${content.toString('hex')}`);
  return first >= 0x80 ? value - (1n << BigInt(content.length * 8)) : value;
}

/** The content of an INTEGER. Negative serial numbers are forbidden, but exist (RFC 5280 §4.1.2.2 asks to handle them). */
export function integerBytes(value: bigint): Buffer {
  const magnitude = value < 0n ? -value - 1n : value;
  const size = Math.floor(magnitude.toString(2).length / 8) + 1;
  const wrapped = value < 0n ? value + (1n << BigInt(size * 8)) : value;
  return Buffer.from(wrapped.toString(16).padStart(size * 2, '0'), 'hex');
}

/** RFC 5280 §4.1.2.2 allows 20 bytes; some CAs went beyond. */
const longestInteger = 64;

const hashOids: Readonly<Record<OcspHash, string>> = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

/** In the order of their age. */
export const ocspHashes: readonly OcspHash[] = ['md5', 'sha1', 'sha256', 'sha384', 'sha512'];

const hashNames = new Map(ocspHashes.map((name) => [hashOids[name], name]));
