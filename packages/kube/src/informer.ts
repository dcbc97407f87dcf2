import { type Life, type Log, orAbort } from '@rfo/foundation';
import type { KubeClient, Selection } from './client.ts';
import { type Kind, type KubeObject, objectKey } from './object.ts';
import { type Change, type IndexFunction, Store } from './store.ts';
import { watch } from './watch.ts';

export type InformerOptions<T extends KubeObject> = Selection & {
  readonly client: KubeClient;
  readonly kind: Kind;
  /** What of each object is kept; by default all but managedFields. The less, the better: it is memory. */
  readonly transform?: (object: T) => T;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** The API is asked from then on; at once by default. */
  readonly begin?: Promise<unknown>;
  readonly life: Life;
  readonly log: Log;
};

export type Informer<T extends KubeObject> = {
  readonly store: Store<T>;
  /** Resolves when the store shows everything there is; rejects when the life ends before. */
  readonly synced: Promise<void>;
  /** Calls `listener` with every change from now on; gives the function that ends it. */
  readonly subscribe: (listener: (change: Change<T>) => void) => () => void;
};

/** Keeps a store equal to what the API has, until its life ends. One for each kind and client is enough: share it. */
export function createInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { life, log, kind, transform = withoutManagedFields } = options;
  const store = new Store<T>(options.indexes);
  const listeners = new Set<(change: Change<T>) => void>();
  const synced = Promise.withResolvers<void>();

  const tell = (change: Change<T> | undefined): void => {
    if (change !== undefined) for (const listener of listeners) listener(change);
  };

  let interrupted = false;
  let wasSynced = false;
  const follow = async (): Promise<void> => {
    await orAbort(Promise.resolve(options.begin), life.signal).catch(() => undefined);
    const items = watch<T>({
      ...options,
      signal: life.signal,
      onError: (error) => {
        // Once for each outage; and a server that is not up yet is no news.
        const level = interrupted || (!wasSynced && error.retryable) ? 'debug' : 'warn';
        log[level](`watching ${kind.kind} was interrupted`, { error });
        interrupted = true;
      },
    });
    // Set between `reset` and `synced`: the old content stays readable until the new one is whole.
    let fresh: Map<string, T> | undefined;
    for await (const item of items) {
      if (item.type === 'reset') {
        fresh = new Map();
        continue;
      }
      interrupted = false;
      if (item.type === 'synced') {
        wasSynced = true;
        for (const change of store.replace(fresh ?? new Map())) tell(change);
        fresh = undefined;
        synced.resolve();
      } else {
        const key = objectKey(item.object.metadata);
        const object = item.type === 'deleted' ? undefined : transform(item.object);
        if (fresh !== undefined) object === undefined ? fresh.delete(key) : fresh.set(key, object);
        else tell(object === undefined ? store.delete(key) : store.set(object));
      }
    }
  };

  const following = follow();
  life.defer(() => following);
  const whenSynced = orAbort(synced.promise, life.signal);
  // Not everybody waits for it.
  whenSynced.catch(() => undefined);
  return {
    store,
    synced: whenSynced,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
