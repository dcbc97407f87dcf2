import { CfsslError } from '../../cfssl-error.ts';
import { findProfile } from '../../config/find-profile.ts';
import type { Profile } from '../../config/types.ts';
import type { JoinToken } from '../../tokens/types.ts';
import { type Act, actOf, audited } from '../audited.ts';
import { readRequest } from '../go-types.ts';
import { authenticatedRequest, findKey } from '../hmac.ts';
import { issueRecorded } from '../issue-recorded.ts';
import type { ApiParts, Authority } from '../parts.ts';
import { jsonSignRequest, toSignRequest } from '../sign-request.ts';
import type { Endpoint } from '../types.ts';
import { withBundle } from '../with-bundle.ts';

/**
 * Signs a request that comes with an HMAC, by a key of its profile or by the key of a join token. What is refused is refused in cfssl's order:
 * the request is read and its profile found before the HMAC is looked at.
 */
export function authsignEndpoint(parts: ApiParts, authority: Authority): Endpoint {
  return {
    name: 'authsign',
    method: 'POST',
    handle: async (call) => {
      const outer = readRequest(call.body, authenticatedRequest);
      const envelope = { request: outer.request ?? nothing, token: outer.token ?? nothing };
      const json = readRequest(envelope.request, jsonSignRequest, 'Unable to parse authenticated sign request');
      const begun = { ...actOf('authsign', call), profile: json.profile };
      const pem = await audited(parts, begun, async (learn) => {
        const by = authenticate(parts, { profile: findProfile(parts.config, json.profile, parts.compat), envelope });
        learn(by.known);
        if (json.certificate_request === '') throw new CfsslError(400, "missing parameter 'certificate_request'");
        const act = { ...begun, ...by.known };
        return await issueRecorded({ ...parts, authority }, { request: toSignRequest(json), act, token: by.token, learn });
      });
      return await withBundle(parts, { result: { certificate: pem }, pem, wanted: json.bundle, signal: () => call.signal });
    },
  };
}

const nothing = Buffer.alloc(0);
const keyNames = ['auth_key', 'prev_auth_key'];

type Envelope = { readonly request: Buffer; readonly token: Buffer };

/** By whose key it was asked for. @throws CfsslError 400 */
function authenticate(
  { records }: ApiParts,
  { profile, envelope }: { readonly profile: Profile; readonly envelope: Envelope },
): { readonly known: Partial<Act>; readonly token?: JoinToken } {
  const key = findKey(profile.authKeys, envelope);
  if (key >= 0) return { known: { key: keyNames[key] ?? `key ${key}` } };
  const token = records?.tokens.match(envelope.request, envelope.token);
  if (token !== undefined) return { known: { token: token.id }, token };
  throw new CfsslError(400, profile.authKeys.length === 0 ? 'no authentication provider' : 'invalid token');
}
