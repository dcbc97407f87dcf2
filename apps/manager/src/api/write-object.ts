// How the REST interface writes objects: nothing that a schema or the rights refuse, and nothing over somebody else's change.
import { fail } from '@rfo/foundation';
import { isAlreadyExists, isConflict, isNotFound } from '@rfo/kube';
import type { DraftOf, ManagerKind, ObjectOf } from '@rfo/schema';
import * as z from 'zod/mini';
import { mergePatch } from './merge-patch.ts';
import { parseInput } from './parse-input.ts';
import type { Store } from './parts.ts';

/** Labels of our own domain are read by controllers: they are not for everybody to set. */
export const labelKey = z
  .string()
  .check(z.maxLength(317), z.regex(/^(?!([^/]*\.)?rfo\.io\/)/, 'labels of rfo.io are not for others to set'));

/** What a PATCH takes: a JSON merge patch of labels and spec. With a resourceVersion it is carried out only if the object is still at that. */
export const patchBody = z.object({
  resourceVersion: z.optional(z.string()),
  labels: z.optional(z.record(labelKey, z.nullable(z.string()))),
  spec: z.optional(z.record(z.string(), z.unknown())),
});
export type PatchBody = z.output<typeof patchBody>;

/** Asked with what is about to be written. Throws what keeps it from being written. */
export type Judge<K extends ManagerKind> = (change: { readonly before?: ObjectOf<K>; readonly after?: DraftOf<K> }) => void;

type Written<K extends ManagerKind> = { readonly before: ObjectOf<K>; readonly after: ObjectOf<K> };

/** What the path names. @throws api-object-unknown */
export async function findObject<K extends ManagerKind>(store: Store<K>, kind: K, name: string): Promise<ObjectOf<K>> {
  const found = await store.find(name);
  if (found === undefined) throw unknownObject(kind, name);
  return found;
}

/** @throws api-object-exists, and what the judge throws */
export async function createObject<K extends ManagerKind>(
  store: Store<K>,
  { kind, draft, judge }: { readonly kind: K; readonly draft: DraftOf<K>; readonly judge: Judge<K> },
): Promise<ObjectOf<K>> {
  judge({ after: draft });
  try {
    return await store.create(draft);
  } catch (error) {
    if (isAlreadyExists(error)) throw fail('api-object-exists', { what: kind.kind, name: draft.metadata.name }, error);
    throw error;
  }
}

/** Times that a change without a resourceVersion is made again on what somebody else has written meanwhile. */
const tries = 5;

/**
 * Carries out a patch. What is judged is what is written: a change by somebody else in between has it judged anew.
 * @throws api-object-unknown, api-conflict, api-request-invalid, and what the judge throws
 */
export async function patchObject<K extends ManagerKind>(
  store: Store<K>,
  { kind, name, patch, judge }: { readonly kind: K; readonly name: string; readonly patch: PatchBody; readonly judge: Judge<K> },
): Promise<Written<K>> {
  const { resourceVersion: given } = patch;
  for (let tried = 1; ; tried += 1) {
    const before = await present(store, { kind, name, given, again: tried > 1 });
    const after = patched(kind, before, patch);
    judge({ before, after: after as unknown as DraftOf<K> });
    try {
      return { before, after: await store.replace(after) };
    } catch (error) {
      if (isNotFound(error)) throw unknownObject(kind, name);
      if (!isConflict(error)) throw error;
      if (given !== undefined || tried >= tries) throw await conflict(store, { kind, name, given: given ?? versionOf(before) });
    }
  }
}

/** The object to change. What this replica knows may be a moment old: where that matters the API server is asked, by a patch of nothing. */
async function present<K extends ManagerKind>(
  store: Store<K>,
  { kind, name, given, again }: { readonly kind: K; readonly name: string; readonly given: string | undefined; readonly again: boolean },
): Promise<ObjectOf<K>> {
  const known = await findObject(store, kind, name);
  if (!again && (given === undefined || given === versionOf(known))) return known;
  try {
    return await store.patch(name, given === undefined ? {} : { metadata: { resourceVersion: given } });
  } catch (error) {
    if (isNotFound(error)) throw unknownObject(kind, name);
    if (isConflict(error) && given !== undefined) throw await conflict(store, { kind, name, given });
    throw error;
  }
}

async function conflict<K extends ManagerKind>(
  store: Store<K>,
  { kind, name, given }: { readonly kind: K; readonly name: string; readonly given: string },
): Promise<Error> {
  const actual = versionOf(await store.patch(name, {}));
  return fail('api-conflict', { what: kind.kind, name, actual, given });
}

function patched<K extends ManagerKind>(kind: K, before: ObjectOf<K>, patch: PatchBody): ObjectOf<K> {
  const labels = mergePatch(before.metadata.labels ?? {}, patch.labels ?? {}) as Readonly<Record<string, string>>;
  const spec = parseInput(kind.spec, mergePatch(before.spec, patch.spec ?? {}), 'what the patch makes of the spec');
  return { ...before, metadata: { ...before.metadata, labels }, spec };
}

function versionOf({ metadata }: { readonly metadata: { readonly resourceVersion?: string } }): string {
  return metadata.resourceVersion ?? '';
}

export function unknownObject({ kind }: Pick<ManagerKind, 'kind'>, name: string): Error {
  return fail('api-object-unknown', { what: kind, name });
}
