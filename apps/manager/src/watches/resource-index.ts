/**
 * All objects of one resource of one cluster, as one watch shows them: fed for as long as somebody needs it. Each object is kept as its JSON text, beside the
 * values of the fields that somebody asks by: that takes less than the object itself, and the garbage collector has nothing to walk through.
 */
import { fail, type Life, type Log, orAbort, RfoError } from '@rfo/foundation';
import { type ApiResource, type KubeClient, type KubeObject, objectKey, watch } from '@rfo/kube';
import type { Connections } from '../clusters/connections.ts';
import { type Column, type Columns, createColumns } from './columns.ts';
import type { Row } from './select-page.ts';

export type ResourceIndex = {
  readonly cluster: string;
  readonly resource: ApiResource;
  readonly rows: () => Iterable<Row>;
  readonly size: () => number;
  /** Characters of all objects. */
  readonly length: () => number;
  /** In which there is something. */
  readonly namespaces: () => Iterable<string>;
  readonly columns: Columns;
  /** Resolves when each object has a value in each of these columns. */
  readonly fill: (columns: readonly Column[]) => Promise<void>;
  /** Resolves when everything there is stands in it. Rejects with what keeps it from that, or with the reason of the signal. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** Why it does not follow the cluster at present; undefined: it does. */
  readonly problem: () => RfoError | undefined;
  /** Calls the listener after a change, and when it stops or begins again to follow. Gives the function that ends it. */
  readonly onChange: (listener: () => void) => () => void;
};

export type IndexInput = {
  readonly cluster: string;
  readonly resource: ApiResource;
  readonly connections: Pick<Connections, 'clientOf' | 'onChange' | 'state'>;
  /** Told how much longer or shorter all texts became. Throws when it is too much. */
  readonly weigh: (characters: number) => void;
  readonly life: Life;
  readonly log: Log;
};

/** Milliseconds that somebody waits for all that there is. */
const readyWithin = 60_000;

/** Objects that are read anew in one go, for a column that is new; other work comes between. */
const slice = 250;

export function createResourceIndex(input: IndexInput): ResourceIndex {
  const { cluster, resource, connections, weigh, life, log } = input;
  const columns = createColumns();
  const listeners = new Set<() => void>();
  let rows = new Map<string, Row>();
  let fresh: Map<string, Row> | undefined;
  let length = 0;
  let problem: RfoError | undefined;
  let busy: RfoError | undefined;
  let synced = false;
  const waiting = new Set<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }>();
  const late = { what: `reading all ${resource.plural} of cluster ${cluster}`, cure: 'Try again; what has come by then is kept' };
  const secret = resource.plural === 'secrets' && resource.apiVersion === 'v1';

  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const measure = (characters: number): void => {
    length += characters;
    weigh(characters);
  };
  const put = (into: Map<string, Row>, object: KubeObject): void => {
    const row = rowOf(lean(object, { ...resource, secret }), columns);
    const before = into.get(row.key);
    measure(row.text.length - (before?.text.length ?? 0));
    into.set(row.key, row);
  };
  const remove = (from: Map<string, Row>, key: string): void => {
    const before = from.get(key);
    if (before === undefined) return;
    from.delete(key);
    measure(-before.text.length);
  };
  const drop = (all: ReadonlyMap<string, Row> = new Map()): void => {
    for (const { text } of all.values()) measure(-text.length);
  };

  const interrupted = (error: RfoError): void => {
    // A server that is busy at the beginning is asked again by the watch; whoever waits goes on waiting.
    if (!synced && error.code === 'kube-busy') {
      busy = error;
      return;
    }
    problem = error;
    for (const { reject } of waiting) reject(error);
    waiting.clear();
    tell();
  };
  const restored = (): void => {
    problem = undefined;
    synced = true;
    for (const { resolve } of waiting) resolve();
    waiting.clear();
    tell();
  };

  const follow = async (client: KubeClient, signal: AbortSignal): Promise<void> => {
    const kind = { apiVersion: resource.apiVersion, kind: resource.kind };
    for await (const item of watch({ client, kind, signal, onError: interrupted })) {
      if (item.type === 'reset') {
        drop(fresh);
        fresh = new Map();
      } else if (item.type === 'synced') {
        // The old content stays readable until the new one is whole.
        const old = rows;
        rows = fresh ?? new Map();
        fresh = undefined;
        drop(old);
        restored();
      } else {
        const into = fresh ?? rows;
        if (item.type === 'deleted') remove(into, objectKey(item.object.metadata));
        else put(into, item.object);
        if (fresh !== undefined) continue;
        if (problem === undefined) tell();
        else restored();
      }
    }
  };

  /** By the client of now: one that is replaced is closed and would never come back. */
  const run = async (): Promise<void> => {
    const { signal } = life;
    while (!signal.aborted) {
      const client = connections.clientOf(cluster);
      const other = new AbortController();
      const changed = Promise.withResolvers<void>();
      const undo = connections.onChange((name) => {
        if (name !== cluster || connections.clientOf(cluster) === client) return;
        other.abort(new Error('the way to the cluster has changed'));
        changed.resolve();
      });
      try {
        if (client === undefined) {
          interrupted(awayOf(cluster, connections));
          await orAbort(changed.promise, signal);
        } else await follow(client, AbortSignal.any([signal, other.signal]));
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        undo();
      }
    }
  };
  const running = run().catch((error: unknown) => {
    log.error('an index does not follow its cluster any more', { cluster, resource: resource.plural, error });
    // Nothing of it is shown from now on, and whoever asks next gets a new one.
    void life.end(error).catch(() => undefined);
  });
  life.defer(async () => {
    await running;
    [rows, fresh] = [new Map(), undefined];
    measure(-length);
    const { reason } = life.signal;
    interrupted(reason instanceof RfoError ? reason : fail('index-ended', { cluster, resource: resource.plural }));
  });

  const fillNow = async (wanted: readonly Column[]): Promise<void> => {
    let done = 0;
    for (const row of rows.values()) {
      const object = JSON.parse(row.text) as KubeObject;
      for (const column of wanted) {
        row.cells[column.slot] = column.read(object);
        row.keys[column.slot] = undefined;
      }
      if (++done % slice === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    for (const column of wanted) column.filled = true;
  };
  let filling: Promise<void> = Promise.resolve();

  return {
    cluster,
    resource,
    columns,
    rows: () => rows.values(),
    size: () => rows.size,
    length: () => length,
    namespaces: () => {
      const found = new Set<string>();
      for (const { namespace } of rows.values()) if (namespace !== undefined) found.add(namespace);
      return found;
    },
    fill: (wanted) => {
      if (wanted.every(({ filled }) => filled)) return Promise.resolve();
      // One after the other: who comes second finds most of it done.
      filling = filling.then(async () => {
        const missing = wanted.filter(({ filled }) => !filled);
        if (missing.length > 0) await fillNow(missing);
      });
      return filling;
    },
    ready: async (signal) => {
      if (problem !== undefined) throw problem;
      if (synced) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { resolve, reject };
      waiting.add(waiter);
      const timer = setTimeout(() => reject(busy ?? fail('timeout', { ...late, seconds: readyWithin / 1000 })), readyWithin);
      await orAbort(promise, signal).finally(() => {
        clearTimeout(timer);
        waiting.delete(waiter);
      });
    },
    problem: () => problem,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What is told while a cluster has no agent. */
export function awayOf(cluster: string, connections: Pick<Connections, 'state'>): RfoError {
  return fail('cluster-away', { name: cluster, problem: connections.state(cluster).problem?.message ?? 'no agent is connected' });
}

function rowOf(object: KubeObject, columns: Columns): Row {
  const { metadata } = object;
  const { namespace, name, resourceVersion = '' } = metadata;
  const cells = columns.slots.map((column) => column?.read(object));
  return { key: objectKey(metadata), namespace, name, version: resourceVersion, text: JSON.stringify(object), cells, keys: [] };
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Without what nobody looks at in a list: who set which field, and the copy that kubectl keeps. Of a Secret without its values too: to read them is an act of
 * its own, by the front door, which the audit tells of.
 */
function lean(object: KubeObject, { apiVersion, kind, secret }: ApiResource & { readonly secret: boolean }): KubeObject {
  const { managedFields: _, annotations, ...metadata } = object.metadata;
  const { [lastApplied]: __, ...kept } = annotations ?? {};
  const { data, stringData, ...rest } = object;
  return {
    ...rest,
    ...(!secret && { ...(data !== undefined && { data }), ...(stringData !== undefined && { stringData }) }),
    ...{ apiVersion, kind },
    metadata: { ...metadata, ...(Object.keys(kept).length > 0 && { annotations: kept }) },
  };
}
