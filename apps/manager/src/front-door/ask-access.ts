/** Asks a cluster what somebody may do there: its own authorizers have the word. */
import { fail } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { Person } from './impersonation.ts';

/** ResourceAttributes of authorization.k8s.io/v1; without a namespace: in all of them. */
export type AccessAttributes = {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
};

/**
 * A SubjectAccessReview, which says of a person what a SelfSubjectAccessReview says to him.
 * @throws cluster-broke-off, kube-unreachable, or the reason of the signal
 */
export async function askAccess(
  client: KubeClient,
  input: { readonly person: Person; readonly attributes: AccessAttributes; readonly cluster: string; readonly signal: AbortSignal },
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
