/** What of a request's head goes on to a cluster: nothing that tells who sends it, for that is ours to say. */
import { endToEndHeaders } from '@rfo/proxy';

const ofIdentity: ReadonlySet<string> = new Set(['authorization', 'cookie', 'cookie2', 'forwarded', 'via', 'x-real-ip', 'true-client-ip']);
/** `x-remote-…` is how a front proxy tells an API server who a user is, `x-rfo-…` speaks to the manager. */
const prefixes = ['impersonate-', 'x-remote-', 'x-forwarded-', 'x-rfo-', 'x-csrf-'];

/** Other servers read an underscore as a dash. */
const drop = (name: string): boolean => {
  const plain = name.replaceAll('_', '-');
  // How long the body is says who frames it.
  return plain === 'content-length' || ofIdentity.has(plain) || prefixes.some((each) => plain.startsWith(each));
};

/** A browser without another way puts a bearer token here. */
const tokenProtocol = /^base64url\.bearer\.authorization\.k8s\.io\./i;

/** @param options.host what the API server is called */
export function requestHeaders(
  rawHeaders: readonly string[],
  { host }: { readonly host: string },
): Record<string, string | readonly string[]> {
  const { 'sec-websocket-protocol': asked = [], ...headers } = endToEndHeaders(rawHeaders, drop);
  const protocols = asked.flatMap((line) => line.split(',')).map((each) => each.trim());
  const harmless = protocols.filter((each) => each !== '' && !tokenProtocol.test(each));
  return { ...headers, ...(harmless.length > 0 && { 'sec-websocket-protocol': harmless.join(', ') }), host };
}
