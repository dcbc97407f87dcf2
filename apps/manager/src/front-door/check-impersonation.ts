/** Asks a cluster whether somebody may act as somebody else there. */
import { fail } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { Caller } from '../identity/caller.ts';
import { neededFor, type Person, type ResourceAttributes, reservedIn } from './impersonation.ts';

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
  const allowed = await Promise.all(needed.map((attributes) => mayDo(client, { person, attributes, cluster, signal })));
  const lacking = needed[allowed.indexOf(false)];
  if (lacking !== undefined) throw refuse(`${lacking.resource.replace(/s$/, '')} ${lacking.name}`);
}

async function mayDo(
  client: KubeClient,
  input: { readonly person: Person; readonly attributes: ResourceAttributes; readonly cluster: string; readonly signal: AbortSignal },
): Promise<boolean> {
  const { person, attributes, cluster, signal } = input;
  const { user, groups, extra } = person;
  const review = {
    ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' },
    spec: { user, groups, extra, resourceAttributes: attributes },
  };
  const headers = { 'content-type': 'application/json' };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const { status, text } = await client.raw({ method: 'POST', path, headers, body: JSON.stringify(review), signal });
  if (status !== 201)
    throw fail('cluster-broke-off', { cluster, problem: `it does not tell what you may (status ${status})` }, new Error(text));
  const answer = JSON.parse(text) as { readonly status?: { readonly allowed?: unknown; readonly denied?: unknown } };
  return answer.status?.allowed === true && answer.status.denied !== true;
}
