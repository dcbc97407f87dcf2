import { RfoError, toRfoError } from '@rfo/foundation';
import { formatRef, isNotFound, type KubeClient, type KubeObject, type ObjectRef, refOf } from '@rfo/kube';
import { appliedAnnotation, fieldManager } from './addon.ts';
import { inPhases } from './apply-order.ts';

export type ApplyResult = {
  /** What has to appear first: a kind that is not served yet, a namespace that is not there yet. */
  readonly waiting: readonly Problem[];
  readonly failed: readonly Problem[];
};
export type Problem = { readonly ref: ObjectRef; readonly error: RfoError };

const atOnce = 16;

/** Gives namespaced objects that name none the namespace `default`, and takes it from those that have none. */
export async function placeObjects(client: KubeClient, objects: readonly KubeObject[]): Promise<KubeObject[]> {
  return Promise.all(
    objects.map(async (object) => {
      const { namespace, ...metadata } = object.metadata;
      const namespaced = await isNamespaced(client, object);
      if (namespaced === undefined || namespaced === (namespace !== undefined)) return object;
      return { ...object, metadata: namespaced ? { ...metadata, namespace: 'default' } : metadata };
    }),
  );
}

/**
 * Applies all objects, those of a phase side by side. One that fails does not keep the others from being applied: they may be what it
 * waits for. What the file says wins over what others set.
 */
export async function applyObjects(client: KubeClient, objects: readonly KubeObject[], signal: AbortSignal): Promise<ApplyResult> {
  const waiting: Problem[] = [];
  const failed: Problem[] = [];
  for (const phase of inPhases(objects)) {
    for (let start = 0; start < phase.length; start += atOnce) {
      const batch = phase.slice(start, start + atOnce).map(async (object) => {
        const error = await applyOne(client, object, signal);
        if (error === undefined) return;
        (mayAppear(error) ? waiting : failed).push({ ref: refOf(object), error });
      });
      await Promise.all(batch);
    }
  }
  return { waiting, failed };
}

/** `Deployment a/b: what is wrong; …`, at most three of them. */
export function describeProblems(problems: readonly Problem[]): string {
  const shown = problems.slice(0, 3).map(({ ref, error }) => `${formatRef(ref)}: ${error.message}`);
  return [...shown, ...(problems.length > 3 ? [`and ${problems.length - 3} more`] : [])].join('; ');
}

function marked(object: KubeObject): KubeObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [appliedAnnotation]: 'true' } } };
}

async function applyOne(client: KubeClient, object: KubeObject, signal: AbortSignal): Promise<RfoError | undefined> {
  try {
    await client.apply(marked(object), { fieldManager, force: true, signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return toRfoError(error);
  }
}

async function isNamespaced(client: KubeClient, object: KubeObject): Promise<boolean | undefined> {
  try {
    return (await client.resourceOf(object)).namespaced;
  } catch (error) {
    if (error instanceof RfoError && error.code === 'kube-kind-unknown') return undefined;
    throw error;
  }
}

function mayAppear(error: RfoError): boolean {
  return error.code === 'kube-kind-unknown' || isNotFound(error);
}
