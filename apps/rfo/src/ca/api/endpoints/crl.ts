import { encodeCrl } from '@rfo/pki';
import { parseGoDuration } from '../../config/go-duration.ts';
import type { ApiParts, Authority, Records } from '../parts.ts';
import type { Endpoint } from '../types.ts';

/** The list of revoked certificates as cfssl gives it: DER in base64 in JSON. What certificates name is `/crl`. */
export function crlEndpoint(
  { clock, crl }: ApiParts,
  { authority: { identity }, records: { store } }: { readonly authority: Authority; readonly records: Records },
): Endpoint {
  return {
    name: 'crl',
    method: 'GET',
    handle: async ({ query }) => {
      const expiry = query.get('expiry') ?? '';
      if (expiry === '' && crl !== undefined) return { result: (await crl()).toString('base64') };
      const now = clock.now();
      const nextUpdate = now + (expiry === '' ? week : parseGoDuration(expiry));
      const entries = store
        .revoked(identity.keyId.toString('hex'), now)
        .map(({ serial, revokedAt, reason }) => ({ serial: BigInt(serial), revokedAt: revokedAt ?? now, reason }));
      const number = await store.nextCrlNumber();
      const der = await encodeCrl({ issuer: identity, number, thisUpdate: now, nextUpdate, entries });
      return { result: der.toString('base64') };
    },
  };
}

const week = 7 * 86_400_000;
