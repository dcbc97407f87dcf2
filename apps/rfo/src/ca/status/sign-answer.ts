/** Signs an OCSP answer, and says how long it is to be given. */
import { encodeOcspResponse, type OcspAnswer, type OcspCertificateId, type OcspStatus } from '@rfo/pki';
import { describeCaching } from './caching.ts';
import type { OcspReply, Responder } from './types.ts';

export type Told = { readonly id: OcspCertificateId; readonly status: OcspStatus };

export type Signed = {
  readonly der: Buffer;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** When half of its validity has passed: it is given until then. */
  readonly until: number;
};

/** @param how `now` and `validity` in milliseconds */
export async function signAnswer(
  told: readonly Told[],
  how: { readonly responder: Responder; readonly now: number; readonly validity: number; readonly nonce?: Buffer | undefined },
): Promise<Signed> {
  const { responder, now, validity, nonce } = how;
  const thisUpdate = wholeSeconds(now);
  // Nobody believes an answer whose signer has expired, whatever it says itself.
  const nextUpdate = Math.max(thisUpdate + 1000, Math.min(thisUpdate + validity, wholeSeconds(responder.notAfter)));
  const answers: OcspAnswer[] = told.map(({ id, status }) => ({ id, status, thisUpdate, nextUpdate }));
  const der = await encodeOcspResponse({ answers, producedAt: thisUpdate, ...(nonce !== undefined && { nonce }) }, responder);
  return { der, thisUpdate, nextUpdate, until: thisUpdate + Math.floor((nextUpdate - thisUpdate) / 2) };
}

/** As it is given while it is kept: to others and to HTTP caches (RFC 5019 §6.2). */
export function keptReply({ der, thisUpdate, nextUpdate, until }: Signed): OcspReply {
  // Whoever gets it has at least that long: it is signed anew before less is left.
  const maxAge = Math.floor((nextUpdate - until) / 1000);
  const cacheControl = `max-age=${maxAge}, public, no-transform, must-revalidate`;
  return { status: 200, der, caching: describeCaching(der, { thisUpdate, nextUpdate, cacheControl }) };
}

function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}
