import { encodePem } from '@rfo/pki';
import { findProfile } from '../../config/find-profile.ts';
import { goString, goStruct, readRequest } from '../go-types.ts';
import type { ApiParts, Authority } from '../parts.ts';
import type { Endpoint } from '../types.ts';

/** The CA's certificate, and what a profile gives. Asked by everybody before anything is known, so nothing is authenticated. */
export function infoEndpoint({ config, compat }: Pick<ApiParts, 'config' | 'compat'>, { certificate }: Authority): Endpoint {
  const pem = encodePem('CERTIFICATE', certificate.der).trimEnd();
  return {
    name: 'info',
    method: 'POST',
    handle: async ({ body }) => {
      const { usageNames, expiryText } = findProfile(config, readRequest(body, infoRequest).profile, compat);
      return { result: { certificate: pem, usages: usageNames.length > 0 ? usageNames : null, expiry: expiryText } };
    },
  };
}

/** `label` is for servers of several CAs. */
const infoRequest = goStruct('info.Req', { label: goString, profile: goString });
