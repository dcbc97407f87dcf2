// The names that the manager's own certificate is for.
import { isIP } from 'node:net';

/**
 * Without doubles, in a stable order: how it is called within its cluster and on its own host, what its configuration adds, and the host of
 * the address that people use.
 */
export function servingNames(given: {
  readonly namespace: string;
  readonly configured: readonly string[];
  readonly serverUrl: string | undefined;
}): readonly string[] {
  const { namespace, configured, serverUrl } = given;
  const service = `rfo-manager.${namespace}`;
  const names = ['localhost', '127.0.0.1', 'rfo-manager', service, `${service}.svc`, `${service}.svc.cluster.local`, ...configured];
  const host = serverUrl === undefined ? undefined : URL.parse(serverUrl)?.hostname.replace(/^\[|\]$/g, '');
  const all = host === undefined || host === '' ? names : [...names, host];
  return [...new Set(all.map((name) => (isIP(name) === 0 ? name.toLowerCase() : name)))];
}
