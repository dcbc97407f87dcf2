/** Finds the credentials of a request: `authorization: Bearer` (RFC 6750) or `Basic` (RFC 7617), or the cookie of a session. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Credential, formatCredential, parseCredential } from './token-format.ts';

const sessionCookie = '__Host-rfo-session';

/**
 * `credential` is undefined where what came is none of ours. A request with an authorization header is judged by that alone: a cookie must not
 * stand in for a token that is refused.
 */
export type Found = { readonly from: 'header' | 'cookie'; readonly credential: Credential | undefined };

/** Undefined where no credentials came. */
export function readCredentials({ authorization, cookie = '' }: IncomingHttpHeaders): Found | undefined {
  if (authorization !== undefined) return { from: 'header', credential: parseCredential(tokenOf(authorization)) };
  const values = cookie
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${sessionCookie}=`))
    .map((pair) => pair.slice(sessionCookie.length + 1));
  const [value] = values;
  if (value === undefined) return undefined;
  // Two of them: one was put there by somebody else, and nobody can say which.
  return { from: 'cookie', credential: values.length === 1 ? parseCredential(value) : undefined };
}

/** The line of `set-cookie` for a new session. */
export function renderCookie(credential: Credential, seconds: number): string {
  return `${sessionCookie}=${formatCredential(credential)}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`;
}

/** The one that makes the browser forget it. */
export const endCookie = `${sessionCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`;

function tokenOf(authorization: string): string {
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return '';
  // Whatever stands before the colon: the token says who it is.
  const plain = Buffer.from(value, 'base64').toString();
  return plain.slice(plain.indexOf(':') + 1);
}
