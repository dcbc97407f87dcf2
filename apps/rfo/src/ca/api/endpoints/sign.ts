import { CfsslError } from '../../cfssl-error.ts';
import { findProfile } from '../../config/find-profile.ts';
import { actOf, audited } from '../audited.ts';
import { readRequest } from '../go-types.ts';
import { issueRecorded } from '../issue-recorded.ts';
import type { ApiParts, Authority } from '../parts.ts';
import { jsonSignRequest, toSignRequest } from '../sign-request.ts';
import type { Endpoint } from '../types.ts';
import { withBundle } from '../with-bundle.ts';

/** Signs a request of anybody, with profiles that have no key. */
export function signEndpoint(parts: ApiParts, authority: Authority): Endpoint {
  return {
    name: 'sign',
    method: 'POST',
    handle: async (call) => {
      const json = readRequest(call.body, jsonSignRequest, 'Unable to parse sign request');
      const act = { ...actOf('sign', call), profile: json.profile };
      const pem = await audited(parts, act, async (learn) => {
        if (json.certificate_request === '') throw new CfsslError(400, "missing parameter 'certificate_request'");
        if (findProfile(parts.config, json.profile, parts.compat).authKeys.length > 0) throw new CfsslError(400, 'authentication required');
        return await issueRecorded({ ...parts, authority }, { request: toSignRequest(json), act, learn });
      });
      return await withBundle(parts, { result: { certificate: pem }, pem, wanted: json.bundle, signal: () => call.signal });
    },
  };
}
