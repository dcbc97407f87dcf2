import type { BackoffOptions, Life, Log } from '@rfo/foundation';
import type { Informer } from './informer.ts';
import { type KubeObject, objectKey } from './object.ts';
import type { Change } from './store.ts';
import { WorkQueue } from './work-queue.ts';

/** Thrown by a reconcile function: trying again cannot help before the object changes. */
export class TerminalError extends Error {}

/** A source of keys: an informer, and which keys each of its changes concerns (by default the object's own). */
export type KeySource = {
  readonly subscribe: (enqueue: (key: string) => void) => () => void;
  readonly synced: Promise<void>;
};

export type ControllerOptions = {
  readonly name: string;
  readonly sources: readonly KeySource[];
  /** Brings the world in line with what is wanted for this key, whatever happened. An error is tried again, ever later. */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  /** How many keys are worked on at a time; 1 by default. */
  readonly workers?: number;
  readonly backoff?: BackoffOptions;
  readonly life: Life;
  readonly log: Log;
};

/**
 * `requeueAfter`: milliseconds until the key comes again even if nothing changes. `retry`: again like after an error, ever later, but
 * nothing is wrong: it waits for something.
 */
export type ReconcileResult = undefined | { readonly requeueAfter?: number; readonly retry?: boolean };

export type Controller = { readonly enqueue: (key: string) => void };

/** Calls `reconcile` with every key that its sources name, once they are synced, until its life ends. */
export function createController(options: ControllerOptions): Controller {
  const { life, sources, workers = 1 } = options;
  const queue = new WorkQueue(options.backoff);
  for (const source of sources) life.defer(source.subscribe((key) => queue.add(key)));
  const running = Promise.allSettled(sources.map(({ synced }) => synced)).then(() =>
    Promise.all(Array.from({ length: workers }, () => work(queue, options))),
  );
  life.defer(() => running);
  life.signal.addEventListener('abort', () => queue.close(), { once: true });
  if (life.signal.aborted) queue.close();
  return { enqueue: (key) => queue.add(key) };
}

/** @param keysOf which keys a change concerns, where it is not just the object's own */
export function fromInformer<T extends KubeObject>(
  informer: Informer<T>,
  keysOf: (change: Change<T>) => readonly string[] = ({ key }) => [key],
): KeySource {
  return {
    synced: informer.synced,
    subscribe: (enqueue) => {
      const tell = (change: Change<T>): void => keysOf(change).forEach(enqueue);
      for (const object of informer.store.list()) tell({ key: objectKey(object.metadata), before: undefined, after: object });
      return informer.subscribe(tell);
    },
  };
}

async function work(queue: WorkQueue, { name, reconcile, life, log }: ControllerOptions): Promise<void> {
  for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
    try {
      const result = await reconcile(key, life.signal);
      if (result?.retry) {
        queue.retry(key);
        continue;
      }
      queue.forget(key);
      if (result?.requeueAfter !== undefined) queue.addAfter(key, result.requeueAfter);
    } catch (error) {
      if (life.signal.aborted) return;
      if (error instanceof TerminalError) {
        queue.forget(key);
        log.error(`${name} gives up until it changes`, { key, error });
      } else {
        const delay = queue.retry(key);
        log.warn(`${name} tries again`, { key, error, seconds: (delay / 1000).toFixed(1) });
      }
    } finally {
      queue.done(key);
    }
  }
}
