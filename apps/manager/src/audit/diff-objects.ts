/** What of an object is different, for the audit log; values that are or may be secret are masked, but that they changed is told. */
import { isDeepStrictEqual } from 'node:util';
import type { AuditChange } from './types.ts';

const mask = '•••';
const most = 50;
/** Names of fields whose values nobody is to read. */
const secret =
  /(password|passwd|passphrase|secret|token|hash|credential|(private|client|api|encryption)[-_]?key|^key$|^data$|^stringData$)/i;
/** What the API server writes by itself. */
const ownFields: ReadonlySet<string> = new Set(['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp']);

/**
 * @param before undefined where the object was made
 * @param after undefined where it was deleted
 * @returns at most 50 changes, the last of them saying how many there are more
 */
export function diffObjects(before: unknown, after: unknown): AuditChange[] {
  const changes: AuditChange[] = [];
  compare({ path: '', before, after, masked: false }, changes);
  if (changes.length <= most) return changes;
  return [...changes.slice(0, most - 1), { path: '', to: `… and ${changes.length - most + 1} more` }];
}

type Pair = { readonly path: string; readonly before: unknown; readonly after: unknown; readonly masked: boolean };

function compare({ path, before, after, masked }: Pair, changes: AuditChange[]): void {
  if (isDeepStrictEqual(before, after)) return;
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)];
  if (old === undefined || fresh === undefined || (before === undefined && after === undefined)) {
    changes.push({
      path,
      ...(before !== undefined && { from: shown(before, masked) }),
      ...(after !== undefined && { to: shown(after, masked) }),
    });
    return;
  }
  for (const name of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    if (path === '/metadata' && ownFields.has(name)) continue;
    const inner = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    compare({ path: inner, before: old[name], after: fresh[name], masked: masked || secret.test(name) }, changes);
  }
}

/** Of an object its fields; one that is not there has none. Lists are compared as a whole: their order means something. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return {};
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function shown(value: unknown, masked: boolean): unknown {
  if (masked) return mask;
  if (Array.isArray(value)) return value.map((each) => shown(each, false));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shown(each, secret.test(name))]));
}
