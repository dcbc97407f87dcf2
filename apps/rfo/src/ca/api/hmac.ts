/** Who may ask is known by an HMAC over the bytes of what he asks. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { goBytes, goInt64, goStruct } from './go-types.ts';

/** The envelope of cfssl's auth package. The HMAC covers the request alone: neither the time nor the address can be relied on. */
export const authenticatedRequest = goStruct('auth.AuthenticatedRequest', {
  timestamp: goInt64,
  remote_address: goBytes,
  token: goBytes,
  request: goBytes,
});

/**
 * The place of the key by which this is the HMAC-SHA256 of the bytes, or -1. All keys are tried whatever comes out, and an HMAC of a wrong length
 * costs as much as any other wrong one.
 */
export function findKey(
  keys: readonly Uint8Array[],
  { request, token }: { readonly request: Uint8Array; readonly token: Uint8Array },
): number {
  const right = token.length === length;
  const given = right ? token : Buffer.alloc(length);
  let found = -1;
  for (const [index, key] of keys.entries()) {
    const same = timingSafeEqual(createHmac('sha256', key).update(request).digest(), given);
    if (same && right && found < 0) found = index;
  }
  return found;
}

const length = 32;
