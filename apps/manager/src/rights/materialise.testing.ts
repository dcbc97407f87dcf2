/** One real API server that is the hosting cluster and, as `east`, the managed one, with the controller of rights at work. */
import { Life, retry, silentLog } from '@rfo/foundation';
import { createKubeClient, type KubeClient, type KubeObject, startTestCluster } from '@rfo/kube';
import type { Project } from '@rfo/schema';
import type { Caller } from '../identity/caller.ts';
import { installCrds } from '../objects/install-crds.ts';
import { openObjects } from '../objects/open-objects.ts';
import { createRights } from './create-rights.ts';
import { materialise } from './materialise.ts';

export const rbac = 'rbac.authorization.k8s.io/v1';
/** A label selector. */
export const managed = 'rfo.io/managed-by=manager';

type Ready = NonNullable<Project['status']>['conditions'][number];

/** The namespaces `web`, `db` and `other` exist. `end` has to be called. */
export async function startRights() {
  const life = new Life();
  const signal = AbortSignal.timeout(110_000);
  const cluster = await startTestCluster();
  const { client } = cluster;
  const end = async (): Promise<void> => {
    await life.end();
    await cluster.stop();
  };
  try {
    await installCrds(client, { log: silentLog, signal });
    const objects = await openObjects({ client, life, log: silentLog });
    const rights = createRights({ objects, life, log: silentLog });
    for (const name of ['web', 'db', 'other']) await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await objects.clusters.create({ metadata: { name: 'east' }, spec: {} });

    let reached: KubeClient | undefined = client;
    const listeners = new Set<(cluster: string) => void>();
    const onConnection = (listener: (cluster: string) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
    materialise({ clientOf: (name) => (name === 'east' ? reached : undefined), onConnection, objects, life, log: silentLog });

    return {
      client,
      objects,
      rights,
      end,
      /** Makes the cluster reachable, or takes it away. */
      connect: (isReachable: boolean): void => {
        reached = isReachable ? client : undefined;
        for (const listener of listeners) listener('east');
      },
      /** The Ready condition of a project once it speaks of what the project says now. */
      judged: (name: string, matches: (condition: Ready) => boolean = () => true): Promise<Ready> =>
        changed(objects.projects, signal, () => {
          const project = objects.projects.get(name);
          const condition = readyOf(project);
          const isOfNow = condition !== undefined && condition.observedGeneration === project?.metadata.generation;
          return isOfNow && matches(condition) ? condition : undefined;
        }),
      changed: <T>(store: Changing, look: () => T | undefined): Promise<T> => changed(store, signal, look),
      /** A client with the name and the groups that the front door gives to the caller. */
      as: (caller: Caller, namespace?: string): KubeClient | undefined => {
        const entry = rights.in(caller, 'east', namespace);
        if (entry === undefined) return undefined;
        const other = createKubeClient({ ...cluster.options, impersonate: { user: `rfo:${caller.user}`, groups: entry.groups } });
        life.defer(other.close);
        return other;
      },
      /** A client with a name that the manager knows nothing of. */
      asUser: (user: string): KubeClient => {
        const other = createKubeClient({ ...cluster.options, impersonate: { user } });
        life.defer(other.close);
        return other;
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

type Changing = { readonly onChange: (listener: () => void) => () => void };

export function readyOf(object: { readonly status?: Project['status'] } | undefined): Ready | undefined {
  return object?.status?.conditions.find(({ type }) => type === 'Ready');
}

/** What `look` gives as soon as it gives something. */
function changed<T>(store: Changing, signal: AbortSignal, look: () => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const tryIt = (): void => {
      const found = look();
      if (found === undefined) return;
      undo();
      resolve(found);
    };
    const undo = store.onChange(tryIt);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    tryIt();
  });
}

/** Asks again until the answer is right: what others than the manager do cannot be awaited. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  let last: unknown;
  const attempts = retry(check, {
    initial: 30,
    max: 300,
    signal: AbortSignal.timeout(90_000),
    onError: (error) => {
      last = error;
    },
  });
  await attempts.catch((error: unknown) => {
    throw last ?? error;
  });
}

/** `create pods/exec@web`, `update deployments.apps@web`, `list nodes`, `get /metrics` */
export async function asked(reached: KubeClient, question: string): Promise<boolean> {
  const [, verb = '', what = '', namespace] = /^(\S+) ([^@]+)(?:@(.+))?$/.exec(question) ?? [];
  const [, resource = '', subresource, group = ''] = /^([a-z]+)(?:\/([a-z]+))?(?:\.(.+))?$/.exec(what) ?? [];
  const attributes = what.startsWith('/')
    ? { nonResourceAttributes: { verb, path: what } }
    : {
        resourceAttributes: {
          verb,
          resource,
          group,
          ...(subresource && { subresource }),
          ...(namespace && { namespace }),
          ...(resource === 'namespaces' && namespace && { name: namespace }),
        },
      };
  const review = await reached.create<KubeObject>({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: { name: '' },
    spec: attributes,
  });
  return (review.status as { readonly allowed?: boolean }).allowed === true;
}
