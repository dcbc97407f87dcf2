// The fields that objects of the manager are made of: zod types that become structural schemas of a CustomResourceDefinition as they are.
// Every text and list has a limit: without one the API server refuses rules over it, and a single object could fill etcd.
import * as z from 'zod/mini';

/** What stands in the CustomResourceDefinition beside the type: its description and Kubernetes' own keywords. */
export type FieldMeta = { readonly description?: string; readonly format?: string; readonly maxProperties?: number } & {
  readonly [extension: `x-kubernetes-${string}`]: unknown;
};

/** Read by `renderSchema`. */
export const fieldMetas = z.registry<FieldMeta>();

/** One rule of Common Expression Language that the API server holds every write to. */
export type CelRule = {
  readonly rule: string;
  readonly message: string;
};

/** Says what a field is for. @param rules what the API server checks of its value, `self` */
export function field<T extends z.core.$ZodType>(type: T, description: string, rules: readonly CelRule[] = []): T {
  return noted(type, { description, ...(rules.length > 0 && { 'x-kubernetes-validations': rules }) });
}

/** A field that may be left out. */
export function optional<T extends z.core.$ZodType>(type: T, description: string) {
  return field(z.exactOptional(type), description);
}

/** One line of text. */
export const line = (max = 128) => z.string().check(z.minLength(1), z.maxLength(max), z.regex(/^\P{Cc}*$/u));

/** Any text, also none. */
export const text = (max: number) => z.string().check(z.maxLength(max));

/** A DNS label (RFC 1123): what names of objects look like here, as they stand in labels, groups and paths. */
export const label = () => z.string().check(z.minLength(1), z.maxLength(63), z.regex(dnsLabel));
export const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** A DNS subdomain (RFC 1123): the longest that the name of an object can be. */
export const subdomain = () =>
  z.string().check(z.minLength(1), z.maxLength(253), z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/));

/** A moment in UTC (RFC 3339), as `Date.toISOString` and Kubernetes write it. */
export const time = () =>
  noted(z.string().check(z.maxLength(32), z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)), { format: 'date-time' });

/** A SHA-256 in hex. */
export const sha256 = () => z.string().check(z.maxLength(64), z.regex(/^[0-9a-f]{64}$/));

/** A number to count with. */
export const count = (min = 0) => z.int32().check(z.minimum(min));

/** A list without doubles whose order means nothing; empty unless given. */
export function setOf<T extends z.core.$ZodType>(type: T, description: string, max = 256) {
  const list = noted(z.array(type).check(z.maxLength(max)), { 'x-kubernetes-list-type': 'set' });
  return field(z._default(list, []), description);
}

/** A list in which entries are told apart by the values of these fields; empty unless given. */
export function mapList<T extends z.core.$ZodType>(type: T, keys: readonly string[], description: string, max = 256) {
  const list = noted(z.array(type).check(z.maxLength(max)), { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys });
  return field(z._default(list, []), description);
}

/** A list that is replaced as a whole; empty unless given. */
export function listOf<T extends z.core.$ZodType>(type: T, description: string, max = 256) {
  const list = noted(z.array(type).check(z.maxLength(max)), { 'x-kubernetes-list-type': 'atomic' });
  return field(z._default(list, []), description);
}

/** Amounts by name, as in a ResourceQuota: `{ "limits.cpu": "10", "pods": "50" }`. */
export const amounts = () =>
  noted(z.record(z.string(), z.string().check(z.maxLength(64))), {
    'maxProperties': 128,
    'x-kubernetes-validations': [
      { rule: 'self.all(name, isQuantity(self[name]))', message: 'every value has to be a quantity, such as 500m or 2Gi' },
    ],
  });

/** metav1.Condition. */
export const conditions = () =>
  mapList(
    z.object({
      type: field(line(316), 'What it is about.'),
      status: field(z.enum(['True', 'False', 'Unknown']), 'Whether it holds.'),
      reason: field(
        z.string().check(z.minLength(1), z.maxLength(1024), z.regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)),
        'One word that says why.',
      ),
      message: field(text(32_768), 'A sentence for people.'),
      lastTransitionTime: field(time(), 'When the status changed last.'),
      observedGeneration: optional(z.int().check(z.minimum(0)), 'The generation of the object that it speaks of.'),
    }),
    ['type'],
    'The state in detail.',
    32,
  );

function noted<T extends z.core.$ZodType>(type: T, meta: FieldMeta): T {
  fieldMetas.add(type, { ...fieldMetas.get(type), ...meta });
  return type;
}
