/** Asks a cluster whether somebody may act as somebody else there. */
import { fail } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { Caller } from '../identity/caller.ts';
import { askAccess } from './ask-access.ts';
import { neededFor, type Person, reservedIn } from './impersonation.ts';

/**
 * @param options.caller as himself: `person` is how the cluster knows him
 * @throws impersonation-forbidden, cluster-away, cluster-broke-off, kube-unreachable
 */
export async function checkImpersonation(options: {
  readonly caller: Caller;
  readonly person: Person;
  readonly wanted: Person;
  readonly administrator: boolean;
  readonly cluster: string;
  readonly client: KubeClient | undefined;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { caller, person, wanted, administrator, cluster, client, signal } = options;
  const refuse = (whom: string): Error => fail('impersonation-forbidden', { username: caller.username, whom, cluster });
  const reserved = reservedIn(wanted, { administrator });
  if (reserved !== undefined) throw refuse(reserved);
  if (client === undefined) throw fail('cluster-away', { name: cluster, problem: 'it is not connected' });
  const needed = neededFor(wanted);
  const allowed = await Promise.all(needed.map((attributes) => askAccess(client, { person, attributes, cluster, signal })));
  const lacking = needed[allowed.indexOf(false)];
  if (lacking !== undefined) throw refuse(`${lacking.resource.replace(/s$/, '')} ${lacking.name}`);
}
