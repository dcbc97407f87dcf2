/** Where another CA listens, in all the ways that cfssl lets people write it. */
import { CfsslError } from '../cfssl-error.ts';

/**
 * The address as a URL without a path: `10.0.0.1` is HTTP on port 8888, `host:8899` HTTP on that one; of a URL the port is the usual one of its
 * scheme, which is HTTP for all but https. What cfssl stumbles over (an IP address with a port, a slash at the end) means what it says.
 * Throws CfsslError 5300.
 */
export function parseRemote(address: string): URL {
  const [, scheme, rest = address.trim()] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(address.trim()) ?? [];
  const url = readUrl(`${scheme?.toLowerCase() === 'https' ? 'https' : 'http'}://${rest}`);
  const bare = url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url === undefined || !bare) throw new CfsslError(5300, `failed to connect to remote: "${address}" is no address`);
  if (scheme === undefined && !/:\d+$/.test(rest)) url.port = '8888';
  return url;
}

function readUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
