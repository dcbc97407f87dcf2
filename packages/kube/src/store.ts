import { type KubeObject, objectKey } from './object.ts';

export type Change<T> = { readonly key: string; readonly before: T | undefined; readonly after: T | undefined };

/** Gives the values under which an object is found in an index. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Objects by key (`namespace/name`), and by the values of named indexes. Holds the only copy; readers must not change what they get. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #functions: Readonly<Record<string, IndexFunction<T>>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#functions = indexes;
    for (const name of Object.keys(indexes)) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  /** In no particular order. */
  list(): T[] {
    return [...this.#objects.values()];
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  /** Everything that the index function gave this value for. */
  byIndex(name: string, value: string): T[] {
    const keys = this.#indexes.get(name)?.get(value) ?? [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Puts an object in; gives what changed, or undefined where the very same version was there. */
  set(object: T): Change<T> | undefined {
    const key = objectKey(object.metadata);
    const before = this.#objects.get(key);
    if (before !== undefined && isSameVersion(before, object)) return undefined;
    if (before !== undefined) this.#unindex(key, before);
    this.#objects.set(key, object);
    this.#eachIndex(object, (index, value) => {
      const keys = index.get(value);
      if (keys === undefined) index.set(value, new Set([key]));
      else keys.add(key);
    });
    return { key, before, after: object };
  }

  delete(key: string): Change<T> | undefined {
    const before = this.#objects.get(key);
    if (before === undefined) return undefined;
    this.#unindex(key, before);
    this.#objects.delete(key);
    return { key, before, after: undefined };
  }

  /** Makes these the whole content; gives what changed by it. */
  replace(objects: ReadonlyMap<string, T>): Change<T>[] {
    const gone = this.keys().filter((key) => !objects.has(key));
    return [...gone.map((key) => this.delete(key)), ...[...objects.values()].map((object) => this.set(object))].filter(
      (change) => change !== undefined,
    );
  }

  #unindex(key: string, object: T): void {
    this.#eachIndex(object, (index, value) => {
      const keys = index.get(value);
      keys?.delete(key);
      if (keys?.size === 0) index.delete(value);
    });
  }

  #eachIndex(object: T, act: (index: Map<string, Set<string>>, value: string) => void): void {
    for (const [name, index] of this.#indexes) for (const value of this.#functions[name]?.(object) ?? []) act(index, value);
  }
}

function isSameVersion(one: KubeObject, other: KubeObject): boolean {
  const { uid, resourceVersion } = one.metadata;
  return resourceVersion !== undefined && resourceVersion === other.metadata.resourceVersion && uid === other.metadata.uid;
}
