/**
 * Keeps in every cluster what it needs to know of rights: a ClusterRole for each role in use, a binding for each group of the manager, a quota for
 * each namespace of a project that has one. Users are known to no cluster, so it does not matter how many there are.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Life, type Log, orAbort } from '@rfo/foundation';
import { createController, type KeySource, type KubeClient } from '@rfo/kube';
import type { Cluster } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import { clustersTouched } from './clusters-touched.ts';
import { type FollowedCluster, followCluster } from './follow-cluster.ts';
import { followPolicy } from './follow-policy.ts';
import { installRoles } from './install-roles.ts';
import { type Outcome, reconcileCluster } from './reconcile-cluster.ts';
import { renderRights } from './render-rights.ts';
import type { ClusterState } from './render-status.ts';
import { reportRights } from './report-rights.ts';

type MaterialiseOptions = {
  /** A client with all rights in the cluster; undefined while it cannot be reached. */
  readonly clientOf: (cluster: string) => KubeClient | undefined;
  /** Tells which cluster can be reached again, or no longer. */
  readonly onConnection: (listener: (cluster: string) => void) => () => void;
  readonly objects: Pick<Objects, 'roleTemplates' | 'globalRoleBindings' | 'projects' | 'clusters'>;
  readonly life: Life;
  readonly log: Log;
};

/** Milliseconds after which a cluster is looked over though nothing is known to have changed: for what others have done to it. */
const lookOverAfter = 600_000;
const backoff = { initial: 200, max: 60_000 };

/**
 * For one replica alone; until the life ends. A cluster that is away gets what it missed when it is back; one whose phase is `Removing` loses
 * everything that was put there. What is in force, and why not all is, stands in the status of Projects and RoleTemplates.
 */
export function materialise({ clientOf, onConnection, objects, life, log }: MaterialiseOptions): void {
  installRoles({ objects, life, log });
  const policy = followPolicy({ objects, life, log });
  const followed = new Map<string, FollowedCluster>();
  const done = new Map<string, { readonly revision: number; readonly client: KubeClient; readonly outcome: Outcome }>();
  /** Counts changes of the policy; for each cluster, the last that concerned it. */
  let revision = 0;
  const concerned = new Map<string, number>();

  const unfollow = async (cluster: string): Promise<void> => {
    const old = followed.get(cluster);
    followed.delete(cluster);
    await old?.end();
  };

  const follow = async (cluster: string, client: KubeClient): Promise<FollowedCluster> => {
    const old = followed.get(cluster);
    if (old?.client === client) return old;
    await unfollow(cluster);
    const changed = (namespace: string): void => {
      const now = policy.now();
      const isOurs = [...(now.projectsIn.get(cluster) ?? [])].some((project) => {
        const place = now.places.get(project)?.get(cluster);
        return place !== undefined && place !== 'whole' && place.has(namespace);
      });
      if (isOurs) controller.enqueue(cluster);
    };
    const fresh = followCluster({ client, changed, life, log });
    followed.set(cluster, fresh);
    return fresh;
  };

  const stateOf = (cluster: string): ClusterState => {
    if (isLeaving(objects.clusters.get(cluster))) return { state: 'unknown' };
    const client = clientOf(cluster);
    if (client === undefined) return { state: 'away' };
    const last = done.get(cluster);
    const isCurrent = last !== undefined && last.client === client && last.revision >= (concerned.get(cluster) ?? 0);
    return isCurrent ? { state: 'done', outcome: last.outcome } : { state: 'waiting' };
  };
  const report = reportRights({ objects, policy, stateOf, life, log });

  const reconcile = async (cluster: string, signal: AbortSignal) => {
    const client = objects.clusters.get(cluster) === undefined ? undefined : clientOf(cluster);
    if (client === undefined) {
      done.delete(cluster);
      await unfollow(cluster);
      report.about(cluster);
      return undefined;
    }
    const started = revision;
    const wanted = isLeaving(objects.clusters.get(cluster)) ? undefined : renderRights(policy.now(), cluster);
    const places = wanted?.some(({ object }) => object.metadata.namespace !== undefined) ? await follow(cluster, client) : undefined;
    if (places === undefined) await unfollow(cluster);
    else await orAbort(places.synced, signal);
    const hasNamespace = (name: string): boolean => places?.hasNamespace(name) ?? false;
    // Nothing more may come into a cluster from which everything is being taken away.
    const leaving = new AbortController();
    const undo = objects.clusters.onChange((name, is) => {
      if (name === cluster && wanted !== undefined && isLeaving(is)) leaving.abort(new Error('the cluster is being removed'));
    });
    const outcome = await reconcileCluster({ client, wanted, hasNamespace, signal: AbortSignal.any([signal, leaving.signal]), log })
      .catch((error: unknown) => {
        // It comes again because it has changed.
        if (leaving.signal.aborted) return undefined;
        throw error;
      })
      .finally(undo);
    if (outcome === undefined) return undefined;
    note(cluster, outcome, done.get(cluster)?.outcome, log);
    done.set(cluster, { revision: started, client, outcome });
    report.about(cluster);
    return outcome.problems.some(({ reason }) => reason === 'Refused' || reason === 'NameTaken')
      ? { retry: true }
      : { requeueAfter: soon() };
  };

  const changes: KeySource = {
    synced: Promise.resolve(),
    subscribe: (enqueue) => {
      const undo = [
        policy.onChange((now, before) => {
          revision += 1;
          for (const cluster of clustersTouched(
            before,
            now,
            objects.clusters.list().map(({ metadata }) => metadata.name),
          )) {
            concerned.set(cluster, revision);
            enqueue(cluster);
          }
          report.all();
        }),
        onConnection(enqueue),
      ];
      return () => {
        for (const end of undo) end();
      };
    },
  };
  const controller = createController({
    name: 'rights',
    sources: [
      changes,
      objects.clusters.keys((name, is, was) =>
        is && was && is.status?.phase === was.status?.phase && isLeaving(is) === isLeaving(was) ? [] : [name],
      ),
    ],
    reconcile,
    workers: 8,
    backoff,
    life,
    log,
  });
}

function isLeaving(cluster: Cluster | undefined): boolean {
  return cluster === undefined || cluster.status?.phase === 'Removing' || cluster.metadata.deletionTimestamp !== undefined;
}

/** Not all clusters at the same moment. */
function soon(): number {
  return lookOverAfter * (0.8 + 0.4 * Math.random());
}

/** Once, not at every look. */
function note(cluster: string, { problems }: Outcome, before: Outcome | undefined, log: Log): void {
  if (isDeepStrictEqual(problems, before?.problems)) return;
  for (const { project, reason, message } of problems) log.warn('a right is not in force', { cluster, project, reason, problem: message });
}
