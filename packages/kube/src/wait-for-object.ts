import type { KubeClient } from './client.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { watch } from './watch.ts';

/**
 * Resolves with the object as soon as `accept` takes it; while the API is away it waits on. Rejects with the signal's reason.
 */
export async function waitForObject<T extends KubeObject>(
  client: KubeClient,
  ref: ObjectRef,
  { accept, signal }: { readonly accept: (object: T) => boolean; readonly signal: AbortSignal },
): Promise<T> {
  const { name, namespace } = ref;
  const fieldSelector = `metadata.name=${name}`;
  for await (const item of watch<T>({ client, kind: ref, namespace, fieldSelector, onError: () => undefined, signal })) {
    if ((item.type === 'added' || item.type === 'modified') && accept(item.object)) return item.object;
  }
  throw signal.reason;
}
