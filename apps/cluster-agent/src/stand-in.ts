/** The fallback on the nodes: one of them connects while no agent of the Deployment is connected. */
import type { Life, Log } from '@rfo/foundation';
import { createInformer, electLeader, type KubeClient, type KubeObject } from '@rfo/kube';
import { agentName, agentNamespace } from '@rfo/schema';
import type { KeptSession } from './keep-session.ts';

export type StandInInput = {
  readonly client: KubeClient;
  /** Different on every node. */
  readonly identity: string;
  /** Connects for as long as the life lasts, and tells when it is connected and when not. */
  readonly keepSession: (life: Life, onState: (connected: boolean) => void) => KeptSession;
  readonly life: Life;
  readonly log: Log;
  readonly timing?: { readonly duration: number; readonly deadline: number; readonly retry: number };
  /** Milliseconds without a connection after which another node has its turn. */
  readonly patience?: number;
};

/** Nodes are many: they ask for the Lease seldom, and only while it matters. */
const usualTiming = { duration: 30_000, deadline: 20_000, retry: 5000 };

type Deployment = KubeObject & { readonly status?: { readonly readyReplicas?: number } };

/** An agent of the Deployment is ready when it is connected; the Deployment alone is watched. Gives what says whether this node connects now. */
export function standIn(input: StandInInput): { readonly session: () => KeptSession | undefined } {
  const { client, identity, life, log, timing = usualTiming, patience = 30_000 } = input;
  let standby: Life | undefined;
  let session: KeptSession | undefined;
  const informer = createInformer<Deployment>({
    client,
    kind: { apiVersion: 'apps/v1', kind: 'Deployment' },
    namespace: agentNamespace,
    fieldSelector: `metadata.name=${agentName}`,
    transform: ({ apiVersion, kind, metadata: { name, namespace }, status }) => ({
      ...{ apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } },
      ...(status && { status: { readyReplicas: status.readyReplicas ?? 0 } }),
    }),
    life,
    log,
  });

  const lead = async (term: Life): Promise<void> => {
    const own = term.child();
    await new Promise<void>((resolve) => {
      let missing = setTimeout(resolve, patience);
      term.signal.addEventListener('abort', () => resolve(), { once: true });
      own.defer(() => clearTimeout(missing));
      session = input.keepSession(own, (connected) => {
        clearTimeout(missing);
        if (!connected && !own.signal.aborted) missing = setTimeout(resolve, patience);
      });
    });
    session = undefined;
    await own.end();
  };
  const look = (): void => {
    const ready = informer.store.list().some(({ status }) => (status?.readyReplicas ?? 0) > 0);
    if (ready && standby !== undefined) {
      log.info('the agent of the Deployment is connected: this node stands back');
      void standby.end();
      standby = undefined;
    } else if (!ready && standby === undefined && !life.signal.aborted) {
      log.info('no agent of the Deployment is connected: one of the nodes stands in');
      standby = life.child();
      const electing = electLeader({
        ...{ client, lease: { namespace: agentNamespace, name: `${agentName}-node` }, identity, lead, life: standby, log, timing },
      });
      standby.defer(() => electing);
    }
  };
  informer.synced.then(
    () => {
      look();
      life.defer(informer.subscribe(look));
    },
    () => undefined,
  );
  return { session: () => session };
}
