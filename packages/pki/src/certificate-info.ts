/** Reads a certificate: everything the program decides by, as plain values. */
import { fail, toRfoError } from '@rfo/foundation';
import { tags } from './der.ts';
import { DerError, DerReader, type DerValue, readBits, readOid, readTime, readWhole } from './der-reader.ts';
import { decodeExtensions, type Extensions } from './extensions.ts';
import { decodeName, type Name } from './name.ts';
import { decodePem } from './pem.ts';

export type CertificateInfo = Extensions & {
  readonly subject: Name;
  readonly issuer: Name;
  /** Lower-case hex. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** Names as they were encoded: chains are compared by these bytes. */
  readonly rawSubject: Buffer;
  readonly rawIssuer: Buffer;
  /** What the signer signed, with which algorithm (DER), and the signature. */
  readonly signedBytes: Buffer;
  readonly signatureAlgorithm: Buffer;
  readonly signature: Buffer;
  readonly der: Buffer;
};

/** The first certificate of a PEM text. Throws certificate-unreadable; `where` names the file in it. */
export function certificateInfo(pem: string, where = 'the certificate'): CertificateInfo {
  const [first] = certificateInfos(pem, where);
  if (first === undefined) throw fail('certificate-unreadable', { where, problem: 'it holds no CERTIFICATE block' });
  return first;
}

/** All certificates of a PEM text in order (a chain or a bundle). Throws certificate-unreadable. */
export function certificateInfos(pem: string, where = 'the certificate'): CertificateInfo[] {
  const blocks = decodePem(pem).filter(({ label }) => label === 'CERTIFICATE');
  return blocks.map(({ bytes }) => decodeCertificate(bytes, where));
}

/** Reads one certificate's DER. Throws certificate-unreadable. */
export function decodeCertificate(der: Uint8Array, where = 'the certificate'): CertificateInfo {
  try {
    return decode(Buffer.from(der));
  } catch (error) {
    if (!(error instanceof DerError)) throw toRfoError(error);
    throw fail('certificate-unreadable', { where, problem: `it is no X.509 certificate (${error.message})` }, error);
  }
}

/** RFC 5280 §4.1. */
function decode(der: Buffer): CertificateInfo {
  const whole = readWhole(der);
  const signed = whole.next(tags.sequence);
  const outerAlgorithm = whole.next(tags.sequence).raw;
  const signature = readBits(whole.next());
  whole.end();

  const body = new DerReader(signed.content);
  body.optional(0xa0);
  const serial = body
    .next(tags.integer)
    .content.toString('hex')
    .replace(/^(00)+(?=.)/, '');
  const innerAlgorithm = body.next(tags.sequence).raw;
  if (!innerAlgorithm.equals(outerAlgorithm)) throw new DerError('two different signature algorithms');
  const rawIssuer = body.next(tags.sequence).raw;
  const validity = body.enter();
  const notBefore = readTime(validity.next());
  const notAfter = readTime(validity.next());
  const rawSubject = body.next(tags.sequence).raw;
  const publicKey = checkedKey(body.next(tags.sequence));
  body.optional(0x81);
  body.optional(0x82);
  const extensions = body.optional(0xa3);
  body.end();
  return {
    ...decodeExtensions(extensions?.content ?? noExtensions),
    subject: decodeName(rawSubject),
    issuer: decodeName(rawIssuer),
    serial,
    notBefore,
    notAfter,
    publicKey,
    rawSubject,
    rawIssuer,
    signedBytes: signed.raw,
    signatureAlgorithm: outerAlgorithm,
    signature,
    der,
  };
}

const noExtensions = Buffer.from([tags.sequence, 0]);

/** A SubjectPublicKeyInfo of the right shape: an algorithm and bits. */
function checkedKey(value: DerValue): Buffer {
  const info = readWhole(value.raw);
  readOid(info.enter().next(tags.oid));
  readBits(info.next());
  info.end();
  return value.raw;
}
