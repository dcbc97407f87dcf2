// One kind of the group rfo.io: what an object of it holds, and what kubectl shows of it.
import type * as z from 'zod/mini';
import type { CelRule } from './fields.ts';

export const managerApiVersion = 'rfo.io/v1alpha1';

/** A column of `kubectl get`. */
export type Column = {
  readonly name: string;
  readonly path: `.${string}`;
  readonly type?: 'string' | 'integer' | 'boolean' | 'date';
  /** Only with `-o wide`. */
  readonly wide?: true;
};

export type Fields = z.ZodMiniObject<z.core.$ZodShape>;

export type ManagerKind<
  Name extends string = string,
  Spec extends Fields = Fields,
  Status extends Fields | undefined = Fields | undefined,
> = {
  readonly kind: Name;
  /** As it stands in paths. */
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly description: string;
  readonly spec: Spec;
  readonly status: Status;
  readonly columns: readonly Column[];
  /** Rules over the whole object; of its metadata they see the name alone. */
  readonly rules?: readonly CelRule[];
  /** Fields of one text that a field selector may ask for. */
  readonly selectable?: readonly `.spec.${string}`[];
  /** The name is any that Kubernetes takes, not a DNS label. */
  readonly longNames?: true;
};

/** The metadata of an object without a namespace, as the API server gives it. */
export type ObjectMetadata = {
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
};

/** An object of the kind as it is read: what has a default has a value. */
export type ObjectOf<K> =
  K extends ManagerKind<infer Name, infer Spec, infer Status>
    ? {
        readonly apiVersion: typeof managerApiVersion;
        readonly kind: Name;
        readonly metadata: ObjectMetadata;
        readonly spec: Frozen<z.output<Spec>>;
      } & (Status extends Fields ? { readonly status?: Frozen<z.output<Status>> } : unknown)
    : never;

/** What is given to make one: defaults may be left out, and the status is not anybody's to give. */
export type DraftOf<K> =
  K extends ManagerKind<string, infer Spec> ? { readonly metadata: ObjectMetadata; readonly spec: Frozen<z.input<Spec>> } : never;

/** What a change of the status may hold (RFC 7396): the fields to set, and null for those to remove. */
export type StatusPatchOf<K> =
  K extends ManagerKind<string, Fields, infer Status> ? (Status extends Fields ? PatchOf<Frozen<z.input<Status>>> : never) : never;

type PatchOf<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [Key in keyof T]?: PatchOf<T[Key]> | null } : T;

type Frozen<T> = T extends (infer Item)[] ? readonly Frozen<Item>[] : T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

/** Declares a kind; keeps the types of its fields. */
export function defineKind<const Name extends string, Spec extends Fields, Status extends Fields | undefined = undefined>(
  input: Omit<ManagerKind<Name, Spec, Status>, 'status'> & { readonly status?: Status },
): ManagerKind<Name, Spec, Status> {
  return { ...input, status: input.status as Status };
}
