/** The end of a Cluster: its agents are removed where they can be reached, and it ends in bounded time where not. */
import type { Clock, Log } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { agentName, agentNamespace, type Cluster } from '@rfo/schema';
import type { Objects } from '../../objects/open-objects.ts';
import type { ClusterClients } from '../cluster-clients.ts';
import type { ClusterTokens } from '../cluster-tokens.ts';
import { recordEvent } from '../event.ts';
import { localCluster } from '../local-session.ts';
import type { Registrations } from '../registrations.ts';
import { removeAgent } from './remove-agent.ts';

export const finalizer = 'rfo.io/agent';

/** Milliseconds from the deletion until a cluster that cannot be reached is let go, and for one attempt. */
const patience = 60_000;
const attempt = 20_000;
const again = 3000;

export type RemoveInput = {
  readonly objects: Pick<Objects, 'clusters' | 'projects'>;
  readonly client: KubeClient;
  readonly clients: ClusterClients;
  readonly registrations: Registrations;
  readonly tokens: ClusterTokens;
  readonly clock: Clock;
  readonly log: Log;
};

/** Gives the milliseconds after which it is to be called again, or undefined when the Cluster is gone. */
export async function removeCluster(cluster: Cluster, input: RemoveInput, signal: AbortSignal): Promise<number | undefined> {
  const { objects, client, clients, registrations, tokens, clock, log } = input;
  const { name, deletionTimestamp = '', finalizers = [] } = cluster.metadata;
  if (!finalizers.includes(finalizer)) return undefined;
  if (cluster.status?.phase !== 'Removing') await objects.clusters.patchStatus(name, { phase: 'Removing' }, { signal });
  // One whose agent was never here has nothing to wait for.
  const there = clients.of(name);
  const nothing = name === localCluster || (cluster.status?.apiServer === undefined && there === undefined);
  const problem = nothing ? undefined : await tryToRemove(there, signal);
  if (problem !== undefined) {
    const left = Date.parse(deletionTimestamp) + patience - clock.now();
    log.warn('the agent of a cluster that is removed cannot be removed there', {
      cluster: name,
      problem,
      seconds: Math.round(left / 1000),
    });
    if (left > 0) return Math.min(left, again);
    const message = `${problem}; what is left there: ${leftovers}`;
    log.warn('a cluster was let go with things left in it', { cluster: name, message });
    await recordEvent({ client, cluster: name, type: 'Warning', reason: 'AgentLeft', message, now: clock.now(), log });
  }
  await removePlaces(name, objects, log);
  await registrations.removeAll(name);
  await tokens.removeAll(name);
  await objects.clusters.patch(name, { metadata: { finalizers: finalizers.filter((each) => each !== finalizer) } }, { signal });
  clients.forget(name);
  return undefined;
}

/** What projects had there: another cluster may get this name, and nobody was given anything in that. */
async function removePlaces(cluster: string, { projects }: Pick<Objects, 'projects'>, log: Log): Promise<void> {
  for (const { metadata, spec } of projects.list()) {
    const places = spec.places.filter((place) => place.cluster !== cluster);
    if (places.length === spec.places.length) continue;
    const { name, resourceVersion } = metadata;
    // Changed by somebody else meanwhile, it is looked at again.
    await projects.patch(name, { metadata: { resourceVersion }, spec: { places } });
    log.info('a project has lost its places in a cluster that is removed', { project: name, cluster });
  }
}

const leftovers =
  `Deployment, DaemonSet, Secret and ServiceAccount ${agentName}* in the namespace ${agentNamespace}, ClusterRoleBinding ${agentName}, and all that is labelled ` +
  'rfo.io/managed-by=manager (kubectl delete clusterrolebinding,clusterrole,rolebinding,resourcequota -A -l rfo.io/managed-by=manager)';

/** Gives what is wrong. */
async function tryToRemove(client: KubeClient | undefined, signal: AbortSignal): Promise<string | undefined> {
  if (client === undefined) return 'no agent is connected';
  try {
    await removeAgent(client, AbortSignal.any([signal, AbortSignal.timeout(attempt)]));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}
