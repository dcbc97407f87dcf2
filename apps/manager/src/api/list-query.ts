// How every list of the REST interface is filtered, searched, sorted and cut into pages.
import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';

/** One page of a list. */
export type Page<T> = { readonly items: readonly T[]; readonly total: number; readonly page: number; readonly pageSize: number };

/** A parameter that may come several times. */
const repeated = z.pipe(
  z.union([z.string(), z.array(z.string())]),
  z.transform((given: string | string[]): readonly string[] => (typeof given === 'string' ? [given] : given)),
);

/** The query of a list route. */
export const listQuery = z.strictObject({
  filter: z.optional(repeated),
  search: z.optional(z.string()),
  sort: z.optional(z.string()),
  page: z.prefault(z.coerce.number().check(z.int(), z.gte(1)), 1),
  pageSize: z.prefault(z.coerce.number().check(z.int(), z.gte(1), z.lte(1000)), 100),
});
export type ListQuery = z.output<typeof listQuery>;

/**
 * Applies a list query to what the caller may see, in the form in which it is answered: what is not shown cannot be asked for.
 *
 * `filter=PATH OP VALUE`, all of which must hold: `=`, `!=`, `~` (contains, in any case), `!~`, `<`, `>`, where a path is `status.phase` or
 * `labels[example.com/tier]`; of a list, one item that fits is enough. `search` looks into all texts. `sort=-createdAt,name`.
 * @throws api-request-invalid
 */
export function listPage<T extends { readonly name: string }>(items: readonly T[], query: ListQuery): Page<T> {
  const { page, pageSize } = query;
  const conditions = (query.filter ?? []).map(parseCondition);
  const needle = query.search?.toLowerCase();
  const found = items.filter(
    (item) =>
      conditions.every(({ path, holds }) => holds(valuesAt(item, path))) &&
      (needle === undefined || texts(item).some((text) => text.includes(needle))),
  );
  const sorted = sortBy(found, parseSort(query.sort ?? 'name'));
  return { items: sorted.slice((page - 1) * pageSize, page * pageSize), total: found.length, page, pageSize };
}

export type Path = readonly string[];

/** What a filter asks of the values that stand at its path. */
export type Condition = { readonly path: Path; readonly holds: (found: readonly unknown[]) => boolean };

/** @throws api-request-invalid */
export function parseCondition(filter: string): Condition {
  const [, field, operator, value] = /^((?:[^=!~<>[\]]|\[[^\]]*\])+?)(!=|!~|=|~|<|>)(.*)$/s.exec(filter) ?? [];
  if (field === undefined || operator === undefined || value === undefined) {
    throw fail('api-request-invalid', { problem: `filter ${JSON.stringify(filter)} is none: write it like status.phase=Active` });
  }
  const path = parsePath(field);
  const some = (test: (found: unknown) => boolean): Condition => ({ path, holds: (found) => found.some(test) });
  const none = (test: (found: unknown) => boolean): Condition => ({ path, holds: (found) => !found.some(test) });
  const same = (found: unknown): boolean => String(found) === value;
  const contains = (found: unknown): boolean => String(found).toLowerCase().includes(value.toLowerCase());
  switch (operator) {
    case '=':
      return some(same);
    case '!=':
      return none(same);
    case '~':
      return some(contains);
    case '!~':
      return none(contains);
    case '<':
      return some((found) => compare(found, value) < 0);
    default:
      return some((found) => compare(found, value) > 0);
  }
}

/** @throws api-request-invalid */
function parsePath(text: string): Path {
  const path = [...text.matchAll(/\[([^\]]+)\]|([^.[\]]+)/g)].map(([, literal, plain]) => literal ?? plain ?? '');
  if (path.length === 0) throw fail('api-request-invalid', { problem: `${JSON.stringify(text)} names no field` });
  return path;
}

/** What stands at the path; the items of a list one by one. */
export function valuesAt(value: unknown, path: Path): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, path));
  const [key, ...rest] = path;
  if (key === undefined) return value === undefined || value === null ? [] : [value];
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return [];
  return valuesAt((value as Readonly<Record<string, unknown>>)[key], rest);
}

export type SortKey = { readonly path: Path; readonly sign: 1 | -1 };

/** @throws api-request-invalid */
export function parseSort(sort: string): readonly SortKey[] {
  const keys = sort.split(',').filter((key) => key !== '');
  return keys.map((key) => ({ path: parsePath(key.replace(/^-/, '')), sign: key.startsWith('-') ? -1 : 1 }));
}

/** Each key is looked up once an item. What has no value stands last in either direction; equals stand by name. */
function sortBy<T extends { readonly name: string }>(items: readonly T[], keys: readonly SortKey[]): readonly T[] {
  const rows = items.map((item) => ({ item, values: keys.map(({ path }) => valuesAt(item, path)[0]) }));
  rows.sort((one, other) => {
    for (const [at, { sign }] of keys.entries()) {
      const [left, right] = [one.values[at], other.values[at]];
      if (left === undefined || right === undefined) {
        if (left !== right) return left === undefined ? 1 : -1;
        continue;
      }
      const order = compare(left, right) * sign;
      if (order !== 0) return order;
    }
    return collator.compare(one.item.name, other.item.name);
  });
  return rows.map(({ item }) => item);
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(left: unknown, right: unknown): number {
  const [one, other] = [Number(left), Number(right)];
  const numbers = left !== '' && right !== '' && !Number.isNaN(one) && !Number.isNaN(other);
  return numbers ? one - other : collator.compare(String(left), String(right));
}

/** All texts below a value, in lower case. */
function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value.toLowerCase()];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}
