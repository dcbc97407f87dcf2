import type { KubeClient, Lease } from '@rfo/kube';
import { isNotFound } from '@rfo/kube';

/**
 * Gives up a leadership in kube-system that this node's own, ended process holds still: its successor would otherwise wait 15 s for the
 * Lease to expire. Another node's leadership is never touched.
 * @param nodeName the holder's identity is `<host name>_<uuid>`
 */
export async function releaseLease(input: {
  readonly client: KubeClient;
  readonly name: string;
  readonly nodeName: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system', name: input.name };
  const lease = await input.client.find<Lease>(ref, { signal: input.signal });
  const holder = lease?.spec?.holderIdentity ?? '';
  const version = lease?.metadata.resourceVersion;
  if (version === undefined || !holder.startsWith(`${input.nodeName}_`)) return;
  const patch = { metadata: { resourceVersion: version }, spec: { holderIdentity: '', leaseDurationSeconds: 1 } };
  await input.client.patch(ref, patch, { signal: input.signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
