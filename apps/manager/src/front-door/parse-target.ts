/**
 * Reads where a request wants to go. What two servers in a row could take for two different paths is refused and never repaired: the one that checks
 * must see what the one that acts sees.
 */
import { fail } from '@rfo/foundation';

export type Target = {
  readonly cluster: string;
  /** As the API server behind gets it. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
};

export const prefix = '/k8s/clusters/';

const clusterName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** What a path is made of (RFC 3986 §3.3), percent-encoded bytes aside. */
const pathCharacters = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*$/;
/** Printable ASCII without `#`: what is in a query is data. */
const queryCharacters = /^[\x21\x22\x24-\x7e]*$/;
const longest = 8 * 1024;

/**
 * @param url the request's target as it came, `/k8s/clusters/<name>/api/v1/pods?watch=true`
 * @throws proxy-path-invalid
 */
export function parseTarget(url: string): Target {
  const refuse = (problem: string): never => {
    throw fail('proxy-path-invalid', { problem });
  };
  if (url.length > longest) return refuse(`it is longer than ${longest} characters`);
  if (!url.startsWith(prefix)) return refuse(`it does not begin with ${prefix}`);
  const at = url.indexOf('?');
  const whole = at < 0 ? url : url.slice(0, at);
  const query = at < 0 ? '' : url.slice(at);
  const slash = whole.indexOf('/', prefix.length);
  const cluster = slash < 0 ? whole.slice(prefix.length) : whole.slice(prefix.length, slash);
  const path = slash < 0 ? '/' : whole.slice(slash);
  if (!clusterName.test(cluster)) return refuse('it names no cluster');
  const problem =
    problemOfPath(path) ?? (queryCharacters.test(query) ? undefined : 'its query has characters that have to be percent-encoded');
  return problem === undefined ? { cluster, path, query: query === '?' ? '' : query } : refuse(problem);
}

function problemOfPath(path: string): string | undefined {
  if (!pathCharacters.test(path)) return 'it has characters that have to be percent-encoded';
  if (path.includes('//')) return 'it has an empty segment';
  for (const encoded of path.match(/%.{0,2}/g) ?? []) {
    if (!/^%[0-9A-Fa-f]{2}$/.test(encoded)) return 'it is not percent-encoded properly';
    const byte = Number.parseInt(encoded.slice(1), 16);
    // A slash, backslash, dot or percent sign in disguise, or a control character.
    if (byte < 0x20 || byte === 0x7f || [0x2f, 0x5c, 0x2e, 0x25].includes(byte)) return `it has ${encoded}`;
  }
  for (const segment of path.split('/')) if (segment === '.' || segment === '..') return `it has a segment "${segment}"`;
  try {
    decodeURIComponent(path);
  } catch {
    return 'it is no UTF-8';
  }
  return undefined;
}
