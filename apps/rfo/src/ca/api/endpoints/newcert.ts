import { decodePem } from '@rfo/pki';
import { CfsslError } from '../../cfssl-error.ts';
import { type CsrJson, csrJson, toCsrWish } from '../../signing/csr-json.ts';
import { makeRequest } from '../../signing/make-request.ts';
import { actOf, audited } from '../audited.ts';
import { type GoType, goBool, goPointer, goString, goStruct, readRequest } from '../go-types.ts';
import { issueRecorded } from '../issue-recorded.ts';
import type { ApiParts, Authority } from '../parts.ts';
import { sumsOf } from '../sums.ts';
import type { Endpoint } from '../types.ts';
import { withBundle } from '../with-bundle.ts';
import { refuseCa } from './newkey.ts';

/** Makes a key and a certificate for it. With cfssl, whatever keys the profile has, anybody may. */
export function newcertEndpoint(parts: ApiParts, authority: Authority): Endpoint {
  return {
    name: 'newcert',
    method: 'POST',
    handle: async (call) => {
      const json = readRequest(call.body, newcertRequest);
      const { profile, label } = json;
      const act = { ...actOf('newcert', call), profile };
      const { result, pem, hosts } = await audited(parts, act, async (learn) => {
        if (json.request === undefined) throw new CfsslError(400, 'missing request section');
        const wish = toCsrWish(json.request);
        refuseCa(wish);
        const made = await makeRequest(wish);
        const request = { certificateRequest: made.requestPem, hosts: null, profile, label };
        const pem = await issueRecorded({ ...parts, authority }, { request, act, learn });
        const sums = { certificate_request: sumsOf(made.requestDer), certificate: sumsOf(derOf(pem)) };
        const result = { private_key: made.keyPem, certificate_request: made.requestPem, certificate: pem, sums };
        return { result, pem, hosts: wish.hosts };
      });
      const answer = await withBundle(parts, { result, pem, wanted: json.bundle, signal: () => call.signal });
      return hosts.length > 0 || answer.messages !== undefined ? answer : { ...answer, messages: [noHosts] };
    },
  };
}

/** Left out, it asks for a certificate of nobody with the usual key; null it is missing. */
const optionalRequest: GoType<CsrJson | undefined> = { ...goPointer(csrJson), zero: csrJson.zero };
const newcertRequest = goStruct('generator.genSignRequest', {
  request: optionalRequest,
  profile: goString,
  label: goString,
  bundle: goBool,
});

/** It is a success all the same: a client certificate needs none. */
const noHosts = { code: 5300, message: 'This certificate lacks a "hosts" field: whoever verifies the name of a server will not take it.' };

function derOf(pem: string): Buffer {
  return decodePem(pem)[0]?.bytes ?? Buffer.alloc(0);
}
