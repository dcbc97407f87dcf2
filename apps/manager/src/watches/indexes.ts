/** The indexes that are needed at present: one for each resource of each cluster, started by the first who asks and ended a while after the last. */
import { fail, type Life, type Log } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { Connections } from '../clusters/connections.ts';
import type { Objects } from '../objects/open-objects.ts';
import { awayOf, createResourceIndex, type ResourceIndex } from './resource-index.ts';
import { findServed, type ResourceName } from './served-resource.ts';

export type Lease = {
  readonly index: ResourceIndex;
  /** Aborts when the index is gone. */
  readonly signal: AbortSignal;
  /** It is not needed any more. */
  readonly release: () => void;
};

export type Indexes = {
  /** Throws cluster-away-unknown, cluster-away, resource-unknown, index-full, and what the API server or the way to it says. */
  readonly lease: (cluster: string, resource: ResourceName) => Promise<Lease>;
  readonly state: () => { readonly indexes: number; readonly objects: number; readonly characters: number };
};

export type IndexesInput = {
  readonly connections: Pick<Connections, 'clientOf' | 'onChange' | 'state'>;
  readonly clusters: Pick<Objects['clusters'], 'get' | 'onChange'>;
  /** Milliseconds that an index stays without anybody who needs it. */
  readonly idle?: number;
  /** Characters of all objects of all indexes together. */
  readonly room?: number;
  readonly life: Life;
  readonly log: Log;
};

type Held = { readonly opening: Promise<ResourceIndex>; readonly life: Life; users: number; timer: NodeJS.Timeout | undefined };

export function createIndexes(input: IndexesInput): Indexes {
  const { connections, clusters, idle = 60_000, room = 512 * 1024 * 1024, log } = input;
  const life = input.life.child();
  const all = new Map<string, Held>();
  const opened = new Map<string, ResourceIndex>();
  let characters = 0;

  const end = (key: string, held: Held, reason: Error): void => {
    if (all.get(key) === held) all.delete(key);
    clearTimeout(held.timer);
    held.life.end(reason).catch((error: unknown) => log.error('an index did not end well', { index: key, error }));
  };

  /** Those that nobody needs go before anything is refused. */
  const weigh = (more: number): void => {
    characters += more;
    if (more <= 0 || characters <= room) return;
    for (const [key, held] of all) if (held.users === 0) end(key, held, new Error('its room is needed'));
    if (characters > room) throw fail('index-full', { megabytes: Math.round(room / 1024 / 1024) });
  };

  const open = async (cluster: string, name: ResourceName, own: Life): Promise<ResourceIndex> => {
    const client = reach(cluster, { connections, clusters });
    const resource = await findServed(client, name, { cluster, signal: own.signal });
    return createResourceIndex({ cluster, resource, connections, weigh, life: own, log });
  };

  const start = (key: string, cluster: string, name: ResourceName): Held => {
    const own = life.child();
    const held: Held = { opening: open(cluster, name, own), life: own, users: 0, timer: undefined };
    all.set(key, held);
    own.defer(() => {
      opened.delete(key);
      if (all.get(key) === held) all.delete(key);
    });
    held.opening.then(
      (index) => {
        if (!own.signal.aborted) opened.set(key, index);
      },
      (error: unknown) => end(key, held, error instanceof Error ? error : new Error(String(error))),
    );
    return held;
  };

  life.defer(
    clusters.onChange((name, cluster) => {
      if (cluster !== undefined) return;
      for (const [key, held] of all) if (key.startsWith(`${name}/`)) end(key, held, fail('cluster-away-unknown', { name }));
    }),
  );

  return {
    state: () => ({ indexes: opened.size, objects: [...opened.values()].reduce((sum, index) => sum + index.size(), 0), characters }),
    lease: async (cluster, name) => {
      const key = `${cluster}/${name.group}/${name.version}/${name.resource}`;
      const known = all.get(key);
      const held = known === undefined || known.life.signal.aborted ? start(key, cluster, name) : known;
      clearTimeout(held.timer);
      held.users++;
      let released = false;
      const release = (): void => {
        if (released) return;
        released = true;
        if (--held.users > 0 || held.life.signal.aborted) return;
        held.timer = setTimeout(() => end(key, held, new Error('nobody needs it')), idle).unref();
      };
      try {
        return { index: await held.opening, signal: held.life.signal, release };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

/** A client of the cluster with the rights of its agent. Throws cluster-away-unknown, cluster-away. */
export function reach(cluster: string, { connections, clusters }: Pick<IndexesInput, 'connections' | 'clusters'>): KubeClient {
  const client = connections.clientOf(cluster);
  if (client !== undefined) return client;
  if (clusters.get(cluster) === undefined) throw fail('cluster-away-unknown', { name: cluster });
  throw awayOf(cluster, connections);
}
