import { CfsslError } from '../../cfssl-error.ts';
import { actOf, audited, doneEntry } from '../audited.ts';
import { goString, goStruct, readRequest } from '../go-types.ts';
import type { ApiParts, Records } from '../parts.ts';
import type { Endpoint } from '../types.ts';

/** Revokes a certificate; from the answer on, OCSP and the list of revoked certificates say so. */
export function revokeEndpoint(parts: ApiParts, { store, audit }: Records): Endpoint {
  return {
    name: 'revoke',
    method: 'POST',
    handle: async (call) => {
      const {
        serial,
        authority_key_id: authorityKeyId,
        reason,
      } = readRequest(call.body, revokeRequest, 'Unable to parse revocation request');
      const act = { ...actOf('revoke', call), serial, authorityKeyId };
      await audited(parts, act, async () => {
        if (serial === '') throw new CfsslError(400, 'serial number is required but not provided');
        const code = reasonCode(reason);
        const entry = { ...doneEntry(act), ...(reason !== '' && { reason }) };
        await store.revoke({ serial, authorityKeyId }, { reason: code, at: parts.clock.now() }, audit.within(entry));
      });
      return { result: {} };
    },
  };
}

const revokeRequest = goStruct('revoke.jsonRevokeRequest', { serial: goString, authority_key_id: goString, reason: goString });

/** RFC 5280 §5.3.1. */
const reasons: ReadonlyMap<string, number> = new Map([
  ['', 0],
  ['unspecified', 0],
  ['keycompromise', 1],
  ['cacompromise', 2],
  ['affiliationchanged', 3],
  ['superseded', 4],
  ['cessationofoperation', 5],
  ['certificatehold', 6],
  ['removefromcrl', 8],
  ['privilegewithdrawn', 9],
  ['aacompromise', 10],
]);

/** A name in whatever case, or a number: of these cfssl takes 1 to 9 only. */
function reasonCode(text: string): number {
  const code = reasons.get(text.toLowerCase()) ?? (/^[+-]?\d+$/.test(text) ? Number(text) : 0);
  if (reasons.has(text.toLowerCase()) || (code >= 1 && code <= 9)) return code;
  throw new CfsslError(400, 'Invalid reason code');
}
