// Lets a write return only when the informer shows it: whoever has written reads what he wrote, and a token that was deleted is gone.
import type { Log } from '@rfo/foundation';
import type { Informer, KubeObject } from '@rfo/kube';

/** Milliseconds after which a write counts as done although the informer does not show it: the API is away, and the write itself succeeded. */
const patience = 10_000;

type OwnWrites = {
  /** Gives what the write gave. */
  readonly written: (name: string, send: () => Promise<KubeObject>) => Promise<KubeObject>;
  readonly deleted: (name: string, send: () => Promise<boolean>) => Promise<boolean>;
};

/** @param given.signal ends the waiting, not the writes */
export function readOwnWrites(informer: Informer<KubeObject>, given: { readonly log: Log; readonly signal: AbortSignal }): OwnWrites {
  const { store } = informer;

  /** Listens before the write is sent, so that nothing of what it causes is missed. */
  const after = async <T>(name: string, send: () => Promise<T>, shows: (result: T, seen: Seen) => boolean): Promise<T> => {
    const gone = new Set<string>();
    const look = Promise.withResolvers<void>();
    let wake = (): void => undefined;
    const unsubscribe = informer.subscribe(({ key, before, after: now }) => {
      if (key !== name) return;
      if (before?.metadata.uid !== undefined && before.metadata.uid !== now?.metadata.uid) gone.add(before.metadata.uid);
      wake();
    });
    try {
      const result = await send();
      const done = (): boolean => shows(result, { current: store.get(name), gone });
      if (!done()) {
        wake = () => done() && look.resolve();
        await bounded(look.promise, () => given.log.warn('a write is done, but the watch does not show it yet', { name }), given.signal);
      }
      return result;
    } finally {
      unsubscribe();
    }
  };

  return {
    written: (name, send) =>
      after(
        name,
        send,
        ({ metadata: { uid = '', resourceVersion } }, { current, gone }) =>
          gone.has(uid) || (current?.metadata.uid === uid && isAsNew(current.metadata.resourceVersion, resourceVersion)),
      ),
    deleted: (name, send) => {
      const was = store.get(name)?.metadata.uid;
      return after(
        name,
        send,
        (_, { current }) => current === undefined || current.metadata.uid !== was || current.metadata.deletionTimestamp !== undefined,
      );
    },
  };
}

type Seen = { readonly current: KubeObject | undefined; readonly gone: ReadonlySet<string> };

/** Versions of one kind grow with every write: KEP-5504, https://kep.k8s.io/5504 */
function isAsNew(version = '0', wanted = '0'): boolean {
  return BigInt(version) >= BigInt(wanted);
}

/** Waits for the promise, at most as long as our patience, and calls `late` where that was not enough. */
async function bounded(promise: Promise<void>, late: () => void, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    late();
    over.resolve();
  }, patience);
  const end = (): void => over.resolve();
  signal.addEventListener('abort', end, { once: true });
  await Promise.race([promise, over.promise]);
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
}
