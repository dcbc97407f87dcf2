/** Endpoints that cfssl leaves open to everybody, behind a door. */
import { CfsslError } from '../cfssl-error.ts';
import { actOf, audited } from './audited.ts';
import { readRequest } from './go-types.ts';
import { authenticatedRequest, findKey } from './hmac.ts';
import type { ApiParts } from './parts.ts';
import type { ApiRequest, Endpoint } from './types.ts';

/**
 * Lets through who shows the certificate of an operator, or who sends the request in the envelope of authsign with a key of `auth_keys` that no
 * profile names: the endpoint gets what is in it. What is in the user data of nodes is for joining only, be it a token or the key of a profile, and a
 * node is no operator, whatever CA its certificate comes from.
 * With the compatibility `open-endpoints` it stays open.
 */
export function guarded(endpoint: Endpoint, parts: ApiParts): Endpoint {
  const { config, compat } = parts;
  if (compat.has('open-endpoints')) return endpoint;
  return {
    ...endpoint,
    handle: async (request) => {
      if (isOperator(request)) return await endpoint.handle(request);
      const body = await audited(parts, actOf(endpoint.name, request), async () => {
        const { token, request: inner } = readRequest(request.body, authenticatedRequest);
        const envelope = { request: inner ?? nothing, token: token ?? nothing };
        if (findKey(config.operatorKeys, envelope) < 0) throw new CfsslError(400, 'invalid token');
        return envelope.request;
      });
      return await endpoint.handle(withBody(request, body));
    },
  };
}

const nothing = Buffer.alloc(0);

function isOperator({ client }: ApiRequest): boolean {
  return client?.operator === true && !client.organizations.includes('system:nodes') && !client.commonName.startsWith('system:node:');
}

/** The request with what was in its envelope. */
function withBody(request: ApiRequest, body: Buffer): ApiRequest {
  const { query, headers, remote, client } = request;
  return {
    body,
    query,
    headers,
    remote,
    client,
    get signal() {
      return request.signal;
    },
  };
}
