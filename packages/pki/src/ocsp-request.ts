/** What a client asks an OCSP responder (RFC 6960 §4.1): made, and read without trust. */
import { fail, RfoError } from '@rfo/foundation';
import { boolean, context, octetString, oid, sequence, tags } from './der.ts';
import { DerError, DerReader, readOid, readWhole } from './der-reader.ts';
import { decodeCertificateId, type OcspCertificateId } from './ocsp-certificate-id.ts';

export type OcspRequest = {
  /** At least one. */
  readonly certificates: readonly OcspCertificateId[];
  /** 1 to 128 bytes that the answer has to repeat. */
  readonly nonce?: Buffer;
};

/** DER of an unsigned request. */
export function createOcspRequest(request: {
  readonly certificates: readonly Pick<OcspCertificateId, 'raw'>[];
  readonly nonce?: Uint8Array;
}): Buffer {
  const { certificates, nonce } = request;
  const list = sequence(...certificates.map(({ raw }) => sequence(raw)));
  const extensions = nonce === undefined ? [] : [context(2, sequence(nonceExtension(nonce)))];
  return sequence(sequence(list, ...extensions));
}

/**
 * Reads the DER of a request. Its signature, if it has one, is not looked at: nobody is refused an answer, so nobody has to prove who he is.
 * Throws ocsp-request-invalid.
 */
export function decodeOcspRequest(der: Uint8Array): OcspRequest {
  try {
    return decode(der);
  } catch (error) {
    if (error instanceof RfoError) throw error;
    throw fail('ocsp-request-invalid', { problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

/** The nonce extension as requests and answers carry it (RFC 9654 §2.1). */
export function nonceExtension(nonce: Uint8Array): Buffer {
  return sequence(oid(nonceOid), octetString(octetString(nonce)));
}

/**
 * The nonce of an `Extensions` value; other extensions are passed over unless they are critical. Throws DerError, also for a nonce of a forbidden
 * size (RFC 9654 §2.1: 1 to 128 bytes; RFC 8954 allowed 32).
 */
export function readNonce(extensions: DerReader): Buffer | undefined {
  let nonce: Buffer | undefined;
  while (!extensions.done) {
    const item = extensions.enter();
    const id = readOid(item.next(tags.oid));
    const critical = item.optional(tags.boolean)?.content.equals(derTrue) ?? false;
    const content = item.next(tags.octetString).content;
    item.end();
    if (id !== nonceOid) {
      if (critical) throw new DerError(`the critical extension ${id} is not understood`);
      continue;
    }
    if (nonce !== undefined) throw new DerError('two nonces');
    const inner = new DerReader(content);
    nonce = inner.next(tags.octetString).content;
    inner.end();
    if (nonce.length === 0 || nonce.length > longestNonce) throw new DerError(`a nonce of ${nonce.length} bytes`);
  }
  return nonce;
}

const nonceOid = '1.3.6.1.5.5.7.48.1.2';
const longestNonce = 128;
const derTrue = boolean(true).subarray(2);

function decode(der: Uint8Array): OcspRequest {
  const whole = readWhole(der);
  const body = whole.enter();
  whole.optional(0xa0);
  whole.end();

  const version = body.optional(0xa0)?.content;
  if (version !== undefined && !version.equals(version1)) throw new DerError('a version other than 1');
  body.optional(0xa1);
  const certificates: OcspCertificateId[] = [];
  const list = body.enter();
  while (!list.done) certificates.push(decodeOne(list.enter()));
  if (certificates.length === 0) throw new DerError('it asks for no certificate');
  const extensions = body.optional(0xa2);
  body.end();
  const nonce = extensions && readNonce(readWhole(extensions.content));
  return nonce === undefined ? { certificates } : { certificates, nonce };
}

const version1 = Buffer.from([tags.integer, 1, 0]);

function decodeOne(reader: DerReader): OcspCertificateId {
  const id = decodeCertificateId(reader.next(tags.sequence));
  const extensions = reader.optional(0xa0);
  reader.end();
  // Those of one certificate (a service locator) change nothing here, but a critical one must not be passed over.
  if (extensions !== undefined) readNonce(readWhole(extensions.content));
  return id;
}
