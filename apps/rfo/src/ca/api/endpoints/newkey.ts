import { CfsslError } from '../../cfssl-error.ts';
import { type CsrWish, readCsrJson } from '../../signing/csr-json.ts';
import { makeRequest } from '../../signing/make-request.ts';
import { actOf, audited, doneEntry } from '../audited.ts';
import type { ApiParts } from '../parts.ts';
import { sumsOf } from '../sums.ts';
import type { Endpoint } from '../types.ts';

/** Makes a key and a request for it. The key travels: it is better made where it is used. */
export function newkeyEndpoint(parts: ApiParts): Endpoint {
  return {
    name: 'newkey',
    method: 'POST',
    handle: async (call) => {
      const act = actOf('newkey', call);
      return await audited(parts, act, async () => {
        const wish = readCsrJson(call.body);
        refuseCa(wish);
        const { keyPem, requestPem, requestDer } = await makeRequest(wish);
        await parts.records?.audit.write(doneEntry(act));
        return { result: { private_key: keyPem, certificate_request: requestPem, sums: { certificate_request: sumsOf(requestDer) } } };
      });
    },
  };
}

/** @throws CfsslError 400 */
export function refuseCa({ ca }: CsrWish): void {
  if (ca !== undefined) throw new CfsslError(400, 'ca section only permitted in initca');
}
