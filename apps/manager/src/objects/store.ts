// A typed store of one kind: what the API holds, as one informer shows it, and the writes to it.
import { fail, type Life, type Log } from '@rfo/foundation';
import { createInformer, fromInformer, type KeySource, type KubeClient, type KubeObject } from '@rfo/kube';
import type { DraftOf, ManagerKind, ObjectOf, StatusPatchOf } from '@rfo/schema';
import { createFlights } from './flights.ts';
import { readOwnWrites } from './own-writes.ts';
import { managerApiVersion, objectParser } from './schema.ts';

type Signal = { readonly signal?: AbortSignal | undefined };

/**
 * Objects of one kind. What is read from it must not be changed. Reads never wait, but for `find`; a write resolves when the reads of this
 * replica show it. Writes throw kube-api (refused by the schema, by a conflict, not found), kube-busy and kube-unreachable.
 */
export type ObjectStore<K extends ManagerKind, Index extends string = never> = {
  readonly get: (name: string) => ObjectOf<K> | undefined;
  /** Like get, but asks the API where the object is not known here: what another replica has just made is found. Throws what the API says. */
  readonly find: (name: string, options?: Signal) => Promise<ObjectOf<K> | undefined>;
  readonly list: () => readonly ObjectOf<K>[];
  readonly by: (index: Index, value: string) => readonly ObjectOf<K>[];
  /** Tells every change from now on: the object as it is now, undefined when it is gone, and as it was. Gives the function that ends it. */
  readonly onChange: (listener: Listener<K>) => () => void;
  /** For a controller: the names of all objects, now and whenever one changes. @param keysOf other keys that a change concerns */
  readonly keys: (keysOf?: (...change: Parameters<Listener<K>>) => readonly string[]) => KeySource;
  readonly create: (draft: DraftOf<K>, options?: Signal) => Promise<ObjectOf<K>>;
  /** Writes the whole object but its status, if nobody else did since it was read. */
  readonly replace: (object: ObjectOf<K>, options?: Signal) => Promise<ObjectOf<K>>;
  /** A JSON merge patch (RFC 7396). */
  readonly patch: (name: string, patch: unknown, options?: Signal) => Promise<ObjectOf<K>>;
  readonly patchStatus: (name: string, status: StatusPatchOf<K>, options?: Signal) => Promise<ObjectOf<K>>;
  /** Gives false where there was none. An object with finalizers is marked, and goes when they are removed. */
  readonly delete: (name: string, options?: Signal & { readonly uid?: string }) => Promise<boolean>;
  /** Resolves when everything there is can be read. */
  readonly synced: Promise<void>;
};

export type Listener<K> = (name: string, now: ObjectOf<K> | undefined, before: ObjectOf<K> | undefined) => void;

export type StoreOptions<K extends ManagerKind, Index extends string> = {
  readonly client: KubeClient;
  readonly kind: K;
  readonly indexes: Readonly<Record<Index, (object: ObjectOf<K>) => readonly string[]>>;
  readonly life: Life;
  readonly log: Log;
};

/** Opens the store; it follows the API until the life ends. */
export function openStore<K extends ManagerKind, Index extends string = never>(options: StoreOptions<K, Index>): ObjectStore<K, Index> {
  const { client, kind, life, log } = options;
  const parse = objectParser(kind);
  const type = { apiVersion: managerApiVersion, kind: kind.kind } as const;
  // By the object, not by its name: an index must see an object that leaves it as it saw it when it came.
  const malformed = new WeakSet<object>();

  const judge = (object: KubeObject): ObjectOf<K> | undefined => {
    const parsed = parse(object);
    if ('object' in parsed) return parsed.object;
    malformed.add(object);
    log.warn(fail('object-malformed', { kind: kind.kind, name: object.metadata.name, problem: parsed.problem }).message);
    return undefined;
  };
  const sound = (object: KubeObject | undefined): ObjectOf<K> | undefined =>
    object === undefined || malformed.has(object) ? undefined : (object as unknown as ObjectOf<K>);

  const informer = createInformer<KubeObject>({
    client,
    kind: type,
    transform: (object) => {
      const { managedFields: _, ...metadata } = object.metadata;
      const kept = { ...object, metadata };
      judge(kept);
      return kept;
    },
    indexes: Object.fromEntries(
      Object.entries<(object: ObjectOf<K>) => readonly string[]>(options.indexes).map(([name, valuesOf]) => [
        name,
        (object: KubeObject) => {
          const good = sound(object);
          return good === undefined ? [] : valuesOf(good);
        },
      ]),
    ),
    life,
    log,
  });

  const { written, deleted } = readOwnWrites(informer, { log, signal: life.signal });
  const once = createFlights<ObjectOf<K> | undefined>();
  const judged = (object: KubeObject): ObjectOf<K> => {
    const parsed = parse(object);
    if ('object' in parsed) return parsed.object;
    throw fail('object-malformed', { kind: kind.kind, name: object.metadata.name, problem: parsed.problem });
  };
  const write = async (name: string, send: () => Promise<KubeObject>): Promise<ObjectOf<K>> => judged(await written(name, send));

  return {
    synced: informer.synced,
    get: (name) => sound(informer.store.get(name)),
    find: async (name, { signal } = {}) => {
      const known = informer.store.get(name);
      if (known !== undefined) return sound(known);
      return await once(name, signal, async () => {
        const found = await client.find<KubeObject>({ ...type, name }, { signal: life.signal });
        return found === undefined ? undefined : judge(found);
      });
    },
    list: () => informer.store.list().flatMap((object) => sound(object) ?? []),
    by: (index, value) => informer.store.byIndex(index, value).flatMap((object) => sound(object) ?? []),
    onChange: (listener) =>
      informer.subscribe(({ key, before, after }) => {
        const [was, is] = [sound(before), sound(after)];
        if (was === undefined && is === undefined) return;
        try {
          listener(key, is, was);
        } catch (error) {
          // One that fails must not stop the others, nor what follows the API.
          log.error(`a listener to ${kind.kind} failed`, { name: key, error });
        }
      }),
    keys: (keysOf) => fromInformer(informer, ({ key, before, after }) => keysOf?.(key, sound(after), sound(before)) ?? [key]),
    create: (draft, options) => write(draft.metadata.name, () => client.create<KubeObject>({ ...draft, ...type }, options)),
    replace: (object, options) => write(object.metadata.name, () => client.replace<KubeObject>(object as unknown as KubeObject, options)),
    patch: (name, patch, options) => write(name, () => client.patch<KubeObject>({ ...type, name }, patch, options)),
    patchStatus: (name, status, options) => write(name, () => client.patchStatus<KubeObject>({ ...type, name }, status, options)),
    delete: (name, options) => deleted(name, () => client.delete({ ...type, name }, options)),
  };
}
