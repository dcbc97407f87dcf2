import type { Life, Log } from '@rfo/foundation';
import { electLeader, type KubeClient } from '@rfo/kube';

/** Milliseconds. Longer than a defragmentation lasts, during which this server's own API cannot renew the lease. */
const timing = { duration: 120_000, deadline: 110_000, retry: 2_000 };

/** Does the work once, while this server holds a Lease that all servers share: no other does its own meanwhile. */
export function takeTurns(input: { readonly client: KubeClient; readonly nodeName: string; readonly log: Log }) {
  const lease = { namespace: 'kube-system', name: 'rfo-etcd-defragmentation' };
  return async (work: () => Promise<void>, life: Life): Promise<void> => {
    const turn = life.child();
    let failed: unknown;
    await electLeader({
      ...{ ...input, lease, timing, life: turn, identity: input.nodeName },
      lead: async () => {
        try {
          await work();
        } catch (error) {
          failed = error;
        }
        void turn.end();
      },
    });
    if (failed !== undefined) throw failed;
  };
}
