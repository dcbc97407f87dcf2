/** Reads what an OCSP responder answered, without trust (RFC 6960 §4.2). Whether to believe it is for the caller to check. */
import { fail, RfoError } from '@rfo/foundation';
import { tags } from './der.ts';
import { DerError, DerReader, readBits, readOid, readTime, readWhole } from './der-reader.ts';
import { decodeCertificateId, type OcspCertificateId } from './ocsp-certificate-id.ts';
import { readNonce } from './ocsp-request.ts';
import { basicResponse, type OcspAnswer, type OcspError, type OcspStatus, ocspErrors } from './ocsp-response.ts';

export type OcspResponse =
  | { readonly kind: 'error'; readonly error: OcspError }
  | {
      readonly kind: 'answer';
      readonly answers: readonly (OcspAnswer & { readonly id: OcspCertificateId })[];
      /** Milliseconds since 1970. */
      readonly producedAt: number;
      readonly nonce?: Buffer;
      /** DER of the responder's subject, or the SHA-1 of its key. */
      readonly responder: { readonly name: Buffer } | { readonly keyHash: Buffer };
      /** DER of certificates that came along. */
      readonly certificates: readonly Buffer[];
      /** What was signed, with which algorithm (DER), and the signature. */
      readonly signedBytes: Buffer;
      readonly signatureAlgorithm: Buffer;
      readonly signature: Buffer;
    };

/** Throws ocsp-response-unreadable. */
export function decodeOcspResponse(der: Uint8Array): OcspResponse {
  try {
    return decode(der);
  } catch (error) {
    if (error instanceof RfoError) throw error;
    throw fail('ocsp-response-unreadable', { problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

type Answered = Extract<OcspResponse, { kind: 'answer' }>;

function decode(der: Uint8Array): OcspResponse {
  const whole = readWhole(der);
  const status = readEnumerated(whole.next(enumerated).content);
  if (status !== 0) {
    whole.end();
    const error = errorNames.get(status);
    if (error === undefined) throw new DerError(`an answer of the unknown kind ${status}`);
    return { kind: 'error', error };
  }
  const outer = readWhole(whole.next(0xa0).content);
  whole.end();
  if (readOid(outer.next(tags.oid)) !== basicResponse) throw new DerError('an answer of an unknown type');
  const basic = readWhole(outer.next(tags.octetString).content);
  outer.end();

  const data = basic.next(tags.sequence);
  const signatureAlgorithm = basic.next(tags.sequence).raw;
  const signature = readBits(basic.next());
  const more = basic.optional(0xa0);
  basic.end();
  const certificates = more === undefined ? [] : readAll(readWhole(more.content));
  return { kind: 'answer', ...decodeData(data.content), certificates, signedBytes: data.raw, signatureAlgorithm, signature };
}

const enumerated = 0x0a;
const errorNames = new Map<number, OcspError>(Object.entries(ocspErrors).map(([name, number]) => [number, name as OcspError]));

function decodeData(content: Buffer): Pick<Answered, 'answers' | 'producedAt' | 'nonce' | 'responder'> {
  const reader = new DerReader(content);
  reader.optional(0xa0);
  const responder = readResponder(reader);
  const producedAt = readTime(reader.next(tags.generalizedTime));
  const list = reader.enter();
  const answers: (OcspAnswer & { readonly id: OcspCertificateId })[] = [];
  while (!list.done) answers.push(decodeAnswer(list.enter()));
  const extensions = reader.optional(0xa1);
  reader.end();
  const nonce = extensions && readNonce(readWhole(extensions.content));
  return { responder, producedAt, answers, ...(nonce !== undefined && { nonce }) };
}

function readResponder(reader: DerReader): Answered['responder'] {
  const named = reader.optional(0xa1);
  if (named !== undefined) return { name: new DerReader(named.content).next(tags.sequence).raw };
  const keyed = new DerReader(reader.next(0xa2).content);
  const keyHash = keyed.next(tags.octetString).content;
  keyed.end();
  return { keyHash };
}

function decodeAnswer(reader: DerReader): OcspAnswer & { readonly id: OcspCertificateId } {
  const id = decodeCertificateId(reader.next(tags.sequence));
  const status = decodeStatus(reader);
  const thisUpdate = readTime(reader.next(tags.generalizedTime));
  const next = reader.optional(0xa0);
  const nextUpdate = next && readTime(new DerReader(next.content).next(tags.generalizedTime));
  const extensions = reader.optional(0xa1);
  reader.end();
  if (extensions !== undefined) readNonce(readWhole(extensions.content));
  return { id, status, thisUpdate, ...(nextUpdate !== undefined && { nextUpdate }) };
}

function decodeStatus(reader: DerReader): OcspStatus {
  if (reader.optional(0x80) !== undefined) return { kind: 'good' };
  if (reader.optional(0x82) !== undefined) return { kind: 'unknown' };
  const revoked = new DerReader(reader.next(0xa1).content);
  const at = readTime(revoked.next(tags.generalizedTime));
  const reason = revoked.optional(0xa0);
  revoked.end();
  if (reason === undefined) return { kind: 'revoked', at };
  return { kind: 'revoked', at, reason: readEnumerated(new DerReader(reason.content).next(enumerated).content) };
}

function readEnumerated(content: Buffer): number {
  const [value] = content;
  if (value === undefined || content.length > 1 || value >= 0x80) throw new DerError('a choice that is none');
  return value;
}

function readAll(reader: DerReader): Buffer[] {
  const values: Buffer[] = [];
  while (!reader.done) values.push(reader.next(tags.sequence).raw);
  return values;
}
