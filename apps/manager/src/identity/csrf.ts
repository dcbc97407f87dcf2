/**
 * Keeps pages of other sites from acting with the cookie that a browser sends along by itself: what changes something has to bring a token that only
 * our own page can know, and what tells its origin has to be of ours.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { fail } from '@rfo/foundation';

const header = 'x-rfo-csrf';
const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** The CSRF token of a session: made of its secret, so that every replica knows it and none has to keep it. */
export function csrfTokenOf(secret: string): string {
  return createHmac('sha256', secret).update('rfo csrf').digest('base64url');
}

/**
 * @param request.method without it the request counts as one that changes something
 * @param request.serverUrl the address that the manager is reached at, where a proxy does not pass on `host`
 * @throws csrf-refused
 */
export function checkCsrf(
  headers: IncomingHttpHeaders,
  request: { readonly secret: string; readonly method: string | undefined; readonly serverUrl: string | undefined },
): void {
  const { secret, method = '', serverUrl } = request;
  // A page can open a WebSocket to any site by a GET, and cannot add headers to it: the origin is all that tells.
  const upgrades = headers.upgrade !== undefined;
  const changes = !safeMethods.includes(method.toUpperCase());
  if ((changes || upgrades) && !isOurs(headers, serverUrl, upgrades)) throw fail('csrf-refused', {});
  if (changes && !same(headers[header], csrfTokenOf(secret))) throw fail('csrf-refused', {});
}

/** Whether a form came from a page of ours: every browser says where a form is from that is sent by POST. */
export function isOwnOrigin(headers: IncomingHttpHeaders, serverUrl: string | undefined): boolean {
  return isOurs(headers, serverUrl, true);
}

function isOurs(headers: IncomingHttpHeaders, serverUrl: string | undefined, needed: boolean): boolean {
  const { origin } = headers;
  if (origin === undefined) return !needed;
  const host = headers[':authority'] ?? headers.host;
  return origin === `https://${host}` || (serverUrl !== undefined && origin === originOf(serverUrl));
}

function originOf(url: string): string | undefined {
  return URL.parse(url)?.origin;
}

function same(given: string | string[] | undefined, expected: string): boolean {
  const [one, other] = [Buffer.from(String(given ?? '')), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
