import { Backoff, fail, type RfoError, sleep, toRfoError } from '@rfo/foundation';
import { apiError, apiStatus, isGone } from './api-status.ts';
import type { KubeClient, Selection, WatchEvent } from './client.ts';
import type { Kind, KubeObject } from './object.ts';

/**
 * What a watcher learns, in this order, again and again:
 *
 *     reset ──► added* ──► synced ──► (added | modified | deleted)*
 *       ▲                                        │
 *       └────── the server forgot where we were ─┘
 *
 * Between `reset` and `synced` stands everything there is: whatever is not named there is gone.
 */
export type WatchItem<T extends KubeObject> =
  | { readonly type: 'reset' }
  | { readonly type: 'synced' }
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: T };

export type WatchOptions = Selection & {
  readonly client: KubeClient;
  readonly kind: Kind;
  /** Sees every failure; the watch goes on by itself. */
  readonly onError: (error: RfoError) => void;
  readonly signal: AbortSignal;
};

/** Milliseconds without an event or bookmark until the watch is started anew; the server sends a bookmark about once a minute. */
const silentAfter = 180_000;
const backoffOptions = { initial: 200, max: 30_000 };
const initialEventsEnd = 'k8s.io/initial-events-end';

/**
 * Watches a kind for ever: goes on after the server ended the watch, was away, or no longer keeps the history we need. Ends, without
 * an error, when the signal aborts.
 */
export async function* watch<T extends KubeObject>(options: WatchOptions): AsyncGenerator<WatchItem<T>> {
  const { signal, onError } = options;
  const backoff = new Backoff(backoffOptions);
  const position: Position = { resourceVersion: undefined, watchList: true };
  while (!signal.aborted) {
    try {
      const items = position.resourceVersion === undefined ? start<T>(options, position) : resume<T>(options, position);
      for await (const item of items) {
        // The first comes before anything was asked.
        if (item.type !== 'reset') backoff.reset();
        yield item;
      }
      // The server ends every watch sooner or later. One that it ends at once, again and again, must not become a busy loop.
      await sleep(backoff.next(), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isGone(error)) {
        position.resourceVersion = undefined;
        continue;
      }
      onError(toRfoError(error));
      await sleep(backoff.next(), signal).catch(() => undefined);
    }
  }
}

/** Where the next request goes on; undefined: from the beginning. `watchList` is false once the server has shown that it cannot. */
type Position = { resourceVersion: string | undefined; watchList: boolean };

/** The initial state by a watch that begins with it (KEP-3157), or by a list where the server cannot. */
async function* start<T extends KubeObject>(options: WatchOptions, position: Position): AsyncGenerator<WatchItem<T>> {
  yield { type: 'reset' };
  if (position.watchList) {
    try {
      yield* events<T>(options, position, { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' });
      if (position.resourceVersion === undefined) throw fail('kube-unreachable', endedEarly(options));
      return;
    } catch (error) {
      if (!cannotWatchList(error)) throw error;
      position.watchList = false;
    }
  }
  const { client, kind, signal, ...selection } = options;
  const list = await client.list<T>(kind, { ...selection, signal });
  for (const object of list.items) yield { type: 'added', object };
  position.resourceVersion = list.resourceVersion;
  yield { type: 'synced' };
}

function resume<T extends KubeObject>(options: WatchOptions, position: Position): AsyncGenerator<WatchItem<T>> {
  return events<T>(options, position, { resourceVersion: position.resourceVersion });
}

async function* events<T extends KubeObject>(
  { client, kind, namespace, labelSelector, fieldSelector, signal }: WatchOptions,
  position: Position,
  query: Readonly<Record<string, string | boolean | undefined>>,
): AsyncGenerator<WatchItem<T>> {
  const stream = client.watchOnce(kind, {
    namespace,
    labelSelector,
    fieldSelector,
    signal,
    idle: silentAfter,
    // Random, so that the watches of a restarted server do not all end together again.
    query: { ...query, allowWatchBookmarks: true, timeoutSeconds: Math.round(300 + 300 * Math.random()) },
  });
  for await (const { type, object } of stream) {
    if (type === 'ERROR') throw apiError(`watch ${kind.kind}`, statusCode(object), object);
    const known = position.resourceVersion !== undefined;
    if (type === 'BOOKMARK') {
      if (known || object.metadata.annotations?.[initialEventsEnd] === 'true') position.resourceVersion = object.metadata.resourceVersion;
      if (!known && position.resourceVersion !== undefined) yield { type: 'synced' };
      continue;
    }
    if (known) position.resourceVersion = object.metadata.resourceVersion;
    yield { type: itemTypes[type], object: object as T };
  }
}

const itemTypes = { ADDED: 'added', MODIFIED: 'modified', DELETED: 'deleted' } as const satisfies Record<
  Exclude<WatchEvent['type'], 'BOOKMARK' | 'ERROR'>,
  string
>;

function cannotWatchList(error: unknown): boolean {
  const status = apiStatus(error)?.status;
  return status === 400 || status === 422;
}

function statusCode(object: unknown): number {
  const code = typeof object === 'object' && object !== null && 'code' in object ? object.code : undefined;
  return typeof code === 'number' ? code : 500;
}

function endedEarly({ client, kind }: WatchOptions): { server: string; problem: string } {
  return { server: client.server, problem: `it ended the first watch of ${kind.kind} before its end` };
}
