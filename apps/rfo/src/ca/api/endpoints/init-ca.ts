import { createSelfSigned } from '../../signing/create-self-signed.ts';
import { readCsrJson } from '../../signing/csr-json.ts';
import { actOf, audited, doneEntry } from '../audited.ts';
import type { ApiParts } from '../parts.ts';
import type { Endpoint } from '../types.ts';

/** Makes a root CA of the caller's own, which has nothing to do with this one. */
export function initCaEndpoint(parts: ApiParts): Endpoint {
  return {
    name: 'init_ca',
    method: 'POST',
    handle: async (call) => {
      const act = actOf('init_ca', call);
      return await audited(parts, act, async () => {
        const { keyPem, certificatePem } = await createSelfSigned(readCsrJson(call.body), parts);
        await parts.records?.audit.write(doneEntry(act));
        return { result: { private_key: keyPem, certificate: certificatePem } };
      });
    },
  };
}
