/** What a token that may only read lets through: looking at objects, and nothing that acts under the name of a GET. */
import { fail } from '@rfo/foundation';
import { formatResource, type RequestInfo } from './request-info.ts';

const reading: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options']);
/** They run a program, move bytes or reach another server, whatever the method is. */
const acting: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy']);

/**
 * @param upgrade whether another protocol is asked for: of those only a watch reads and does nothing else
 * @throws token-read-only
 */
export function checkReadOnly(info: RequestInfo, { upgrade }: { readonly upgrade: boolean }): void {
  const { verb, subresource } = info;
  const reads = reading.has(verb) && !(subresource !== undefined && acting.has(subresource));
  if (reads && (!upgrade || (verb === 'watch' && subresource === undefined))) return;
  const resource = formatResource(info) ?? 'this path';
  throw fail('token-read-only', { verb, what: subresource === undefined ? resource : `${resource}/${subresource}` });
}
