/** What of an answer's head goes back to the client. What a pod answers through a cluster's API comes to browsers as if it were the manager's own page. */
import type { IncomingMessage } from 'node:http';
import { fail } from '@rfo/foundation';
import { endToEndHeaders } from '@rfo/proxy';
import { prefix } from './parse-target.ts';

/** They would speak for the manager's own address: its cookies, its pages, its connections, its sign-in. */
const ofOrigin: ReadonlySet<string> = new Set([
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'service-worker-allowed',
  'strict-transport-security',
  'public-key-pins',
  'alt-svc',
  'refresh',
  'www-authenticate',
  'content-security-policy',
  'content-security-policy-report-only',
  'x-content-type-options',
]);

const drop = (name: string): boolean => ofOrigin.has(name) || name.startsWith('access-control-') || name.startsWith('x-rfo-');

/**
 * @param options.proxied whether something behind the API server answers: a pod, a service, a kubelet
 * @throws cluster-refuses-agent, cluster-answer-refused
 */
export function answerHeaders(
  answer: IncomingMessage,
  { cluster, proxied }: { readonly cluster: string; readonly proxied: boolean },
): Record<string, string | readonly string[]> {
  // The client's own credentials are all right, or he would not have come this far.
  if (answer.statusCode === 401 && !proxied) throw fail('cluster-refuses-agent', { cluster });
  const { location, ...headers } = endToEndHeaders(answer.rawHeaders, drop);
  return {
    ...headers,
    // A page of its own without scripts and without the manager's cookies, whatever a pod says.
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff',
    ...(location !== undefined && { location: relocated(location, cluster) }),
  };
}

/** Within the cluster only: elsewhere the client would carry there what he sends to us. */
function relocated([location = '']: readonly string[], cluster: string): string {
  if (/^\/(?![/\\])[\x21-\x7e]*$/.test(location)) return `${prefix}${cluster}${location}`;
  if (/^[A-Za-z0-9._~%-]+[\x21-\x7e]*$/.test(location) && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(location)) return location;
  throw fail('cluster-answer-refused', { cluster, problem: 'it sends the client to another server' });
}
