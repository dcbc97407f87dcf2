/** What HTTP caches are told of a signed answer. */
import { hash } from 'node:crypto';
import type { Caching } from './types.ts';

/**
 * The validators of a body.
 * @param window milliseconds since 1970: what the body itself says of how long it is good
 */
export function describeCaching(
  body: Uint8Array,
  window: { readonly thisUpdate: number; readonly nextUpdate: number; readonly cacheControl: string },
): Caching {
  return {
    etag: `"${hash('sha256', body, 'hex').toUpperCase()}"`,
    cacheControl: window.cacheControl,
    lastModified: new Date(window.thisUpdate).toUTCString(),
    expires: new Date(window.nextUpdate).toUTCString(),
  };
}

/** Whether the client has this body already: its If-None-Match names the tag, or anything (RFC 9110 §13.1.2, weak comparison). */
export function isKnown(ifNoneMatch: string | undefined, { etag }: Caching): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((tag) => {
    const bare = tag.trim().replace(/^W\//, '');
    return bare === etag || bare === '*';
  });
}
