/** Takes away from a cluster all that the manager has put there for the sake of rights. */
import { fail, type Log } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { reconcileCluster } from './reconcile-cluster.ts';

/**
 * Resolves when nothing of it is left; what others have labelled like it stays. Throws rights-left (the API server refuses to remove something),
 * kube-busy, kube-unreachable, or the signal's reason.
 */
export async function removeRights({
  client,
  signal,
  log,
}: {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  readonly log: Log;
}): Promise<void> {
  const { problems } = await reconcileCluster({ client, wanted: undefined, hasNamespace: () => false, signal, log });
  if (problems.length > 0) throw fail('rights-left', { problem: problems.map(({ message }) => message).join('; ') });
}
