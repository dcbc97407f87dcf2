// Objects of the manager in the form in which the REST interface answers them.
import type { ManagerKind, ObjectOf } from '@rfo/schema';
import * as z from 'zod/mini';
import { named } from './schema-names.ts';

/** An object as it is answered. */
export type View = {
  readonly name: string;
  readonly uid?: string | undefined;
  /** Sent back with a change, it makes sure that nothing else was changed meanwhile. */
  readonly resourceVersion?: string | undefined;
  readonly createdAt?: string | undefined;
  /** It is on its way out. */
  readonly deletedAt?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly spec: unknown;
  readonly status?: unknown;
};

export type ViewSchema = z.ZodMiniType<View, View>;

/**
 * What an answer of the kind may hold. Everything that leaves is parsed by it, which takes away all that does not stand here.
 * @param secret fields of the spec that are answered to nobody
 */
export function viewSchema(kind: ManagerKind, secret: readonly string[] = []): ViewSchema {
  const hidden = Object.fromEntries(secret.map((field) => [field, true] as const));
  const schema = z.object({
    name: z.string(),
    uid: z.optional(z.string()),
    resourceVersion: z.optional(z.string()),
    createdAt: z.optional(z.string()),
    deletedAt: z.optional(z.string()),
    labels: z.optional(z.record(z.string(), z.string())),
    spec: secret.length === 0 ? kind.spec : z.omit(kind.spec, hidden),
    ...(kind.status !== undefined && { status: z.optional(kind.status) }),
  });
  // The one place where the types of spec and status are let go: they are those of the kind, and nobody here looks into them.
  return named(kind.kind, schema as unknown as ViewSchema);
}

/** The object as it is answered, still with everything; `viewSchema` takes away what may not leave. */
export function viewOf<K extends ManagerKind>({ metadata, spec, ...rest }: ObjectOf<K>): View {
  const { name, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels } = metadata;
  const status = (rest as { readonly status?: unknown }).status;
  return {
    name,
    uid,
    resourceVersion,
    createdAt: creationTimestamp,
    deletedAt: deletionTimestamp,
    labels,
    spec,
    ...(status !== undefined && { status }),
  };
}

/** One page of such objects. */
export function pageSchema(item: ViewSchema) {
  return z.object({ items: z.array(item), total: z.number(), page: z.number(), pageSize: z.number() });
}
