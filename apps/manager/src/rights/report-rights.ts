/** Writes into Projects and RoleTemplates whether what they give is in force. */
import { isDeepStrictEqual } from 'node:util';
import type { Life, Log } from '@rfo/foundation';
import { type Condition, createController, isNotFound } from '@rfo/kube';
import type { Objects } from '../objects/open-objects.ts';
import { type Amounts, sumAmounts } from './divide-quota.ts';
import type { FollowedPolicy } from './follow-policy.ts';
import { type ClusterState, clustersOfRole, judgeProject, judgeRole, type Verdict } from './render-status.ts';

type Report = {
  /** Something about this cluster may read differently now. */
  readonly about: (cluster: string) => void;
  /** Anything may. */
  readonly all: () => void;
};

type Reported = {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly status?: { readonly conditions: readonly Condition[] };
};

export function reportRights({
  objects,
  policy,
  stateOf,
  life,
  log,
}: {
  readonly objects: Pick<Objects, 'roleTemplates' | 'projects' | 'clusters'>;
  readonly policy: FollowedPolicy;
  readonly stateOf: (cluster: string) => ClusterState;
  readonly life: Life;
  readonly log: Log;
}): Report {
  const reportProject = async (name: string, signal: AbortSignal): Promise<void> => {
    const project = objects.projects.get(name);
    if (project === undefined || !policy.isTold()) return;
    const verdict = judgeProject(policy.now(), project, stateOf);
    if (verdict === undefined) return;
    const used = project.spec.quota === undefined ? null : usedBy(project.spec.places, name);
    const conditions = withVerdict(project, verdict);
    const isSame = isDeepStrictEqual(conditions, project.status?.conditions) && isDeepStrictEqual(used, project.status?.used ?? null);
    if (!isSame) await objects.projects.patchStatus(name, { conditions, used }, { signal });
  };
  const usedBy = (places: readonly { readonly cluster: string }[], project: string): Amounts =>
    sumAmounts(
      places.flatMap(({ cluster }): Amounts[] => {
        const state = stateOf(cluster);
        const used = state.state === 'done' ? state.outcome.used.get(project) : undefined;
        return used === undefined ? [] : [used];
      }),
    );
  const reportRole = async (name: string, signal: AbortSignal): Promise<void> => {
    const role = objects.roleTemplates.get(name);
    if (role === undefined || !policy.isTold()) return;
    const clusters = objects.clusters.list().map(({ metadata }) => metadata.name);
    const verdict = judgeRole(policy.now(), name, clustersOfRole(policy.now(), name, clusters), stateOf);
    if (verdict === undefined) return;
    const conditions = withVerdict(role, verdict);
    if (!isDeepStrictEqual(conditions, role.status?.conditions)) await objects.roleTemplates.patchStatus(name, { conditions }, { signal });
  };

  const controller = createController({
    name: 'status of rights',
    sources: [objects.projects.keys((name) => [`project/${name}`]), objects.roleTemplates.keys((name) => [`role/${name}`])],
    reconcile: async (key, signal) => {
      const [kind, name = ''] = key.split('/', 2);
      try {
        await (kind === 'project' ? reportProject(name, signal) : reportRole(name, signal));
      } catch (error) {
        // It was removed meanwhile.
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
    workers: 4,
    life,
    log,
  });
  const roles = (): void => {
    for (const { metadata } of objects.roleTemplates.list()) controller.enqueue(`role/${metadata.name}`);
  };
  return {
    about: (cluster) => {
      for (const project of policy.now().projectsIn.get(cluster) ?? []) controller.enqueue(`project/${project}`);
      roles();
    },
    all: () => {
      for (const { metadata } of objects.projects.list()) controller.enqueue(`project/${metadata.name}`);
      roles();
    },
  };
}

function withVerdict({ metadata, status }: Reported, { status: value, reason, message }: Verdict): Condition[] {
  const others = status?.conditions.filter(({ type }) => type !== 'Ready') ?? [];
  const before = status?.conditions.find(({ type }) => type === 'Ready');
  const { generation } = metadata;
  return [
    ...others,
    {
      type: 'Ready',
      status: value,
      reason,
      message,
      lastTransitionTime: before?.status === value ? before.lastTransitionTime : new Date().toISOString(),
      ...(generation !== undefined && { observedGeneration: generation }),
    },
  ];
}
