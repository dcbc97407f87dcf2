/** What one replica alone does for all clusters: it writes their status, lets them go, and tells how far a change of settings has come. */
import type { Clock, Life, Log } from '@rfo/foundation';
import { createController, isAlreadyExists, type KubeClient } from '@rfo/kube';
import type { AgentSettings, Cluster } from '@rfo/schema';
import type { Objects } from '../../objects/open-objects.ts';
import { settingNames } from '../agent-settings.ts';
import type { ClusterClients } from '../cluster-clients.ts';
import type { ClusterTokens } from '../cluster-tokens.ts';
import { localCluster } from '../local-session.ts';
import type { Registrations } from '../registrations.ts';
import type { Sessions } from '../sessions.ts';
import { settingsProgress } from '../settings-progress.ts';
import { checkHealth, type Health, type Memory, newMemory } from './check-health.ts';
import { finalizer, removeCluster } from './remove-cluster.ts';
import { renderStatus } from './render-status.ts';

export type ControlInput = {
  readonly objects: Pick<Objects, 'clusters' | 'projects' | 'settings'>;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly sessions: Sessions;
  readonly clients: ClusterClients;
  readonly registrations: Registrations;
  readonly tokens: ClusterTokens;
  readonly wanted: () => AgentSettings | undefined;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
};

/** Milliseconds between looks at a cluster that is well connected, and for one look. */
const lookEvery = 15_000;
const lookWithin = 10_000;
/** A cluster that does not answer must not keep the others waiting. */
const workers = 16;
const movedAnnotation = 'rfo.io/moved';
/** The settings that announce a change. */
const announcements = [settingNames.nextUrl, settingNames.nextCa] as const;

/** Resolves when the life ends. */
export async function runClusterControllers(input: ControlInput): Promise<void> {
  const { objects, sessions, life, log } = input;
  await ensureLocal(input);
  const memories = new Map<string, Memory>();
  const controller = createController({
    name: 'the controller of clusters',
    sources: [objects.clusters.keys()],
    reconcile: async (name, signal) => {
      const cluster = objects.clusters.get(name);
      if (cluster === undefined) {
        memories.delete(name);
        return undefined;
      }
      if (cluster.metadata.deletionTimestamp !== undefined) {
        const requeueAfter = await removeCluster(cluster, input, signal);
        return requeueAfter === undefined ? undefined : { requeueAfter };
      }
      const memory = memories.get(name) ?? newMemory();
      memories.set(name, memory);
      return await keepStatus(cluster, { input, memory, signal });
    },
    workers,
    backoff: { initial: 500, max: lookEvery },
    life,
    log,
  });
  life.defer(sessions.onChange(controller.enqueue));
  const progress = keepProgress(input);
  life.defer(sessions.onChange(progress));
  life.defer(objects.settings.onChange(progress));
  life.defer(objects.clusters.onChange((_, is, was) => isWaitedFor(is) !== isWaitedFor(was) && progress()));
  progress();
  await new Promise((resolve) => {
    life.signal.addEventListener('abort', resolve, { once: true });
    if (life.signal.aborted) resolve(undefined);
  });
}

function isWaitedFor(cluster: Cluster | undefined): boolean {
  return cluster?.status?.agent?.lastSeen !== undefined && cluster.metadata.deletionTimestamp === undefined;
}

/** The Cluster of the manager itself. */
async function ensureLocal({ objects, life, log }: ControlInput): Promise<void> {
  if ((await objects.clusters.find(localCluster, { signal: life.signal })) !== undefined) return;
  try {
    await objects.clusters.create({ metadata: { name: localCluster }, spec: { description: 'The cluster that the manager runs in.' } });
    log.info('the hosting cluster is known as local');
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function keepStatus(
  cluster: Cluster,
  { input, memory, signal }: { readonly input: ControlInput; readonly memory: Memory; readonly signal: AbortSignal },
): Promise<{ readonly requeueAfter: number } | undefined> {
  const { objects, sessions, clients, wanted, clock } = input;
  const { name, finalizers = [] } = cluster.metadata;
  if (!finalizers.includes(finalizer) && name !== localCluster) {
    await objects.clusters.patch(name, { metadata: { finalizers: [...finalizers, finalizer] } }, { signal });
  }
  const client = clients.of(name);
  const best = sessions.best(name);
  // Its own writes bring a cluster back here: that is no reason to look again.
  const due = memory.looked === undefined || memory.looked.session !== best || performance.now() - memory.looked.at >= lookEvery / 2;
  if (client !== undefined && due) memory.looked = { session: best, health: await look(client, memory, signal), at: performance.now() };
  const health = client && memory.looked?.health;
  const settings = wanted();
  const status = renderStatus({
    state: sessions.state(name),
    health,
    caBundle: best?.credentials().ca,
    settled:
      name === localCluster || settings === undefined ? undefined : sessions.of(name).some((each) => each.settings() === settings.hash),
    before: objects.clusters.get(name)?.status,
    now: clock.now(),
  });
  if (status !== undefined) await objects.clusters.patchStatus(name, status, { signal });
  return client === undefined ? undefined : { requeueAfter: lookEvery };
}

async function look(client: KubeClient, memory: Memory, signal: AbortSignal): Promise<Health | Error> {
  try {
    return await checkHealth({
      client,
      memory,
      now: performance.now(),
      signal: AbortSignal.any([signal, AbortSignal.timeout(lookWithin)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Writes `12/15` to the Settings that announce a change; one write at a time, of the newest. */
function keepProgress({ objects, sessions, wanted, life, log }: ControlInput): () => void {
  let running = false;
  let due = false;
  const write = async (): Promise<void> => {
    // Hundreds of agents that come back at once would each have all the others counted.
    if (announcements.every((name) => objects.settings.get(name) === undefined)) return;
    const { moved, total } = settingsProgress({ objects, sessions, wanted: wanted() });
    const text = `${moved}/${total}`;
    for (const name of announcements) {
      const setting = objects.settings.get(name);
      if (setting === undefined || setting.metadata.annotations?.[movedAnnotation] === text) continue;
      await objects.settings.patch(name, { metadata: { annotations: { [movedAnnotation]: text } } }, { signal: life.signal });
    }
  };
  const run = async (): Promise<void> => {
    running = true;
    while (due && !life.signal.aborted) {
      due = false;
      await write().catch((error: unknown) => {
        if (!life.signal.aborted) log.warn('how many agents have moved was not written', { error });
      });
    }
    running = false;
  };
  return () => {
    due = true;
    if (!running) void run();
  };
}
