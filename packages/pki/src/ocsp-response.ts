/** What an OCSP responder answers (RFC 6960 §4.2). */
import { hash } from 'node:crypto';
import { bitString, context, octetString, oid, sequence, tagged, tags } from './der.ts';
import { keyBits, type OcspCertificateId } from './ocsp-certificate-id.ts';
import { nonceExtension } from './ocsp-request.ts';
import type { SigningKey } from './signing-key.ts';

export type OcspStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'unknown' }
  /** `at` in milliseconds since 1970; the reason is a number of RFC 5280 §5.3.1. */
  | { readonly kind: 'revoked'; readonly at: number; readonly reason?: number };

/** What is said of one certificate. Milliseconds since 1970, written in whole seconds. */
export type OcspAnswer = {
  readonly id: Pick<OcspCertificateId, 'raw'>;
  readonly status: OcspStatus;
  readonly thisUpdate: number;
  /** Without it newer information is available all the time. */
  readonly nextUpdate?: number;
};

export type OcspResponder = {
  readonly key: SigningKey;
  /** By what clients find its certificate: a hash of its key, which is shorter, or the DER of its subject. */
  readonly name?: Uint8Array;
  /** DER of its certificate, if it is not the CA itself: clients cannot know it otherwise. */
  readonly certificate?: Uint8Array;
};

/** The numbers of answers that say nothing of a certificate and that nobody signs (RFC 6960 §4.2.1). */
export const ocspErrors = { malformedRequest: 1, internalError: 2, tryLater: 3, sigRequired: 5, unauthorized: 6 } as const;
export type OcspError = keyof typeof ocspErrors;

export type OcspResponseBody = {
  readonly answers: readonly OcspAnswer[];
  readonly producedAt: number;
  /** That of the request. */
  readonly nonce?: Uint8Array;
};

/** DER of a signed answer. */
export async function encodeOcspResponse(body: OcspResponseBody, responder: OcspResponder): Promise<Buffer> {
  const { key, certificate } = responder;
  const data = sequence(
    responderId(responder),
    generalizedTime(body.producedAt),
    sequence(...body.answers.map(encodeAnswer)),
    ...(body.nonce === undefined ? [] : [context(1, sequence(nonceExtension(body.nonce)))]),
  );
  const certificates = certificate === undefined ? [] : [context(0, sequence(certificate))];
  const basic = sequence(data, key.algorithm, bitString(await key.sign(data)), ...certificates);
  return sequence(enumerated(0), context(0, sequence(oid(basicResponse), octetString(basic))));
}

/** DER of an answer that says nothing but what went wrong: five bytes. */
export function encodeOcspError(error: OcspError): Buffer {
  return sequence(enumerated(ocspErrors[error]));
}

export const basicResponse = '1.3.6.1.5.5.7.48.1.1';

function responderId({ key, name }: OcspResponder): Buffer {
  if (name !== undefined) return context(1, name);
  return context(2, octetString(hash('sha1', keyBits(key.publicKey), 'buffer')));
}

function encodeAnswer({ id, status, thisUpdate, nextUpdate }: OcspAnswer): Buffer {
  const next = nextUpdate === undefined ? [] : [context(0, generalizedTime(nextUpdate))];
  return sequence(id.raw, encodeStatus(status), generalizedTime(thisUpdate), ...next);
}

/** A reason of 0 says nothing and is left out, as in CRLs (RFC 5280 §5.3.1). */
function encodeStatus(status: OcspStatus): Buffer {
  if (status.kind === 'good') return context(0, Buffer.alloc(0), 'primitive');
  if (status.kind === 'unknown') return context(2, Buffer.alloc(0), 'primitive');
  const reason = status.reason === undefined || status.reason === 0 ? [] : [context(0, enumerated(status.reason))];
  return context(1, Buffer.concat([generalizedTime(status.at), ...reason]));
}

function enumerated(value: number): Buffer {
  return tagged(0x0a, Buffer.from([value]));
}

/** OCSP writes every time as GeneralizedTime, also those before 2050. */
function generalizedTime(milliseconds: number): Buffer {
  const stamp = new Date(milliseconds).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return tagged(tags.generalizedTime, Buffer.from(`${stamp}Z`, 'latin1'));
}
