import { type Log, RfoError } from '@rfo/foundation';
import { formatRef, groupOf, type KubeClient, type ObjectRef, objectKey } from '@rfo/kube';
import { fieldManager } from './addon.ts';
import { inPhases } from './apply-order.ts';

/**
 * What to delete: held before, no longer wanted, and not held by another file. Two API versions of a group name the same object.
 */
export function objectsToPrune(input: {
  readonly held: readonly ObjectRef[];
  readonly wanted: readonly ObjectRef[];
  readonly heldByOthers: readonly ObjectRef[];
}): ObjectRef[] {
  const kept = new Set([...input.wanted, ...input.heldByOthers].map(identityOf));
  return input.held.filter((ref) => !kept.has(identityOf(ref)) && !isProtected(ref));
}

/** Both lists, every object once. */
export function unite(one: readonly ObjectRef[], other: readonly ObjectRef[]): ObjectRef[] {
  return [...new Map([...one, ...other].map((ref) => [identityOf(ref), ref])).values()];
}

/** Deletes the objects, in the reverse of the order they were applied in. One that somebody else has made anew meanwhile is left alone. */
export async function pruneObjects(
  client: KubeClient,
  refs: readonly ObjectRef[],
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  for (const phase of inPhases(refs).reverse()) {
    await Promise.all(
      phase.map(async (ref) => {
        const found = await findServed(client, ref, signal);
        if (found === undefined) return;
        if (!found.metadata.managedFields?.some(({ manager }) => manager === fieldManager)) {
          log.warn('left alone what others have made', { object: formatRef(ref) });
          return;
        }
        await client.delete(ref, { signal, ...(found.metadata.uid !== undefined && { uid: found.metadata.uid }) });
        log.info('deleted', { object: formatRef(ref) });
      }),
    );
  }
}

function identityOf(ref: ObjectRef): string {
  return `${groupOf(ref.apiVersion)} ${ref.kind} ${objectKey(ref)}`;
}

/** Kubernetes makes these itself and refuses to delete them. */
function isProtected({ apiVersion, kind, name }: ObjectRef): boolean {
  return apiVersion === 'v1' && kind === 'Namespace' && ['default', 'kube-system', 'kube-public', 'kube-node-lease'].includes(name);
}

/** An object of a kind that is no longer served is gone. */
async function findServed(client: KubeClient, ref: ObjectRef, signal: AbortSignal) {
  try {
    return await client.find(ref, { signal });
  } catch (error) {
    if (error instanceof RfoError && error.code === 'kube-kind-unknown') return undefined;
    throw error;
  }
}
