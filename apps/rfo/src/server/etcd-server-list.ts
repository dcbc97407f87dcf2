/** Which API servers there are, as etcd knows it: for a server that has no API server of its own to ask. */
import type { EtcdClient } from '@rfo/etcd';
import { Backoff, sleep, toRfoError } from '@rfo/foundation';
import { type ServerList, type TrackOptions, trackServers } from '../agent/track-servers.ts';

export type EtcdServerList = ServerList & {
  /** Resolves when etcd was asked once; rejects when the life ends before. */
  readonly synced: Promise<void>;
};

/**
 * Each API server enters its address here, under a lease of 15 s that it keeps while it serves, and takes it out when it ends in good order: the
 * endpoints of the `kubernetes` Service are made from it (kube-apiserver `--endpoint-reconciler-type=lease`, the default;
 * k8s.io/kubernetes pkg/controlplane/reconcilers/lease.go).
 */
export const apiServerLeases = '/registry/masterleases/';

/** Follows the keys that API servers hold in etcd, for as long as it lives; while etcd is away the list stays as it was. */
export function followApiServers({
  etcd,
  etcdServes,
  ...options
}: TrackOptions & {
  readonly etcd: Pick<EtcdClient, 'status' | 'range' | 'watch'>;
  /** When etcd can be asked. */
  readonly etcdServes: Promise<unknown>;
}): EtcdServerList {
  const { life, log } = options;
  const { signal } = life;
  const listeners = new Set<() => void>();
  const synced = Promise.withResolvers<void>();
  synced.promise.catch(() => undefined);
  let listed: ReadonlySet<string> = new Set();

  const ask = async (): Promise<readonly string[]> =>
    (await etcd.range(apiServerLeases, { keysOnly: true, signal })).map(({ key }) => addressIn(key)).sort();
  const take = (next: ReadonlySet<string>): void => {
    const same = next.size === listed.size && [...next].every((server) => listed.has(server));
    listed = next;
    // A lease that is renewed is no news.
    if (!same) for (const tell of listeners) tell();
  };
  const follow = async (): Promise<void> => {
    const { revision } = await etcd.status({ signal });
    take(new Set(await ask()));
    synced.resolve();
    for await (const changes of etcd.watch(apiServerLeases, { fromRevision: String(BigInt(revision) + 1n), signal })) {
      backoff.reset();
      const next = new Set(listed);
      for (const { kind, key } of changes) next[kind === 'put' ? 'add' : 'delete'](addressIn(key));
      take(next);
    }
  };
  const backoff = new Backoff({ initial: 200, max: 5_000 });
  const loop = async (): Promise<void> => {
    await etcdServes.catch(() => undefined);
    while (!signal.aborted) {
      await follow().catch((error: unknown) => {
        if (!signal.aborted) log.debug('cannot see in etcd which API servers there are', { because: toRfoError(error).message });
      });
      await sleep(backoff.next(), signal).catch(() => undefined);
    }
    synced.reject(signal.reason);
  };
  const looping = loop();
  life.defer(() => looping);
  const list = trackServers(
    {
      listed: () => [...listed].sort(),
      ask,
      subscribe: (listener) => void listeners.add(listener),
    },
    options,
  );
  return { ...list, synced: synced.promise };
}

function addressIn(key: string): string {
  return key.slice(apiServerLeases.length);
}
