/** Filters, sorts and cuts the rows of an index: a pure function of what was asked. */
import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import { type ListQuery, parseCondition, parseSort } from '../api/list-query.ts';
import { type Cell, type Column, type ColumnSource, fieldColumn, labelsColumn, searchColumn, valuesOf } from './columns.ts';
import { type Labels, parseLabelSelector } from './label-selector.ts';

/** One object of an index. */
export type Row = {
  /** `namespace/name`, or `name`. */
  readonly key: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** Its resourceVersion. */
  readonly version: string;
  /** The object as JSON. */
  readonly text: string;
  /** By the slots of the columns. */
  readonly cells: Cell[];
  /** What it is ordered by, by the same slots, for those that somebody has sorted by. */
  readonly keys: (Key | undefined)[];
};

export type ResourceQuery = ListQuery & { readonly selector?: string | undefined; readonly cursor?: string | undefined };

/** A query that was understood, yet without the columns of an index. */
export type Plan = {
  readonly sources: readonly ColumnSource[];
  /** @param columns of the sources, in their order */
  readonly select: (rows: Iterable<Row>, columns: readonly Column[], visible: (row: Row) => boolean) => Selected;
};

export type Selected = {
  readonly rows: readonly Row[];
  /** Of all pages. */
  readonly total: number;
  /** The cursor of the page behind this one; undefined: there is none. */
  readonly next: string | undefined;
};

/** What rows are ordered by; null stands last in either direction. */
export type Key = string | number | null;

/**
 * Understands a query.
 *
 * `filter`, `sort`, `page` and `pageSize` are those of every list; `selector` is one of labels, and `search` looks into name, namespace and labels. A page goes
 * on behind the last object of the one before by its `cursor`, whatever came or went in between.
 * @throws api-request-invalid
 */
export function planQuery(query: ResourceQuery): Plan {
  const { page, pageSize, search, selector, sort = 'namespace,name' } = query;
  const conditions = (query.filter ?? []).map(parseCondition);
  const sorting = parseSort(sort);
  const cursor = query.cursor === undefined ? undefined : parseCursor(query.cursor, sort, sorting.length);
  if (cursor !== undefined && page > 1) throw fail('api-request-invalid', { problem: 'a cursor names the page already: leave page out' });
  const needle = search?.toLowerCase();
  const holds = selector === undefined ? undefined : parseLabelSelector(selector);
  const sources = [
    ...conditions.map(({ path }) => fieldColumn(path)),
    ...sorting.map(({ path }) => fieldColumn(path)),
    ...(needle === undefined ? [] : [searchColumn]),
    ...(holds === undefined ? [] : [labelsColumn]),
  ];

  const select: Plan['select'] = (rows, columns, visible) => {
    const slots = columns.map(({ slot }) => slot);
    const asked = conditions.map((condition, at) => ({ holds: condition.holds, slot: slots[at] ?? 0 }));
    const order = sorting.map(({ sign }, at) => ({ sign, slot: slots[conditions.length + at] ?? 0 }));
    const rest = slots.slice(conditions.length + sorting.length);
    const searched = needle === undefined ? undefined : rest[0];
    const labelled = holds === undefined ? undefined : rest.at(-1);
    const signs = order.map(({ sign }) => sign);
    const first = cursor === undefined ? (page - 1) * pageSize : 0;
    const found: Ranked[] = [];
    let total = 0;
    for (const row of rows) {
      if (!visible(row)) continue;
      if (searched !== undefined && needle !== undefined && !String(row.cells[searched]).includes(needle)) continue;
      if (labelled !== undefined && holds?.((row.cells[labelled] ?? {}) as Labels) === false) continue;
      if (!asked.every((one) => one.holds(valuesOf(row.cells[one.slot])))) continue;
      total++;
      const ranked = { row, keys: order.map(({ slot }) => keyAt(row, slot)) };
      if (cursor === undefined || compareRanked(ranked, cursor, signs) > 0) found.push(ranked);
    }
    const compare: Compare = (one, other) => compareRanked(one, other, signs);
    const more = found.length > first + pageSize;
    const cut = slice(found, { from: first, to: first + pageSize, compare });
    const last = cut.at(-1);
    return { rows: cut.map(({ row }) => row), total, next: more && last !== undefined ? renderCursor(last, sort) : undefined };
  };
  return { sources, select };
}

type Ranked<R = Row> = { readonly row: R; readonly keys: readonly Key[] };

/** What stands from `from` up to `to` when all is in order; the rest is not put in order. Changes the list. */
function slice(
  all: Ranked[],
  { from, to, compare }: { readonly from: number; readonly to: number; readonly compare: Compare },
): readonly Ranked[] {
  if (from >= all.length) return [];
  if (from > 0) settle(all, from, { low: 0, compare });
  if (to < all.length) settle(all, to, { low: from, compare });
  return all.slice(from, to).sort(compare);
}

type Compare = (one: Ranked, other: Ranked) => number;

/** Quickselect: puts the one into its place that stands at `place` in order, what is before it before, and what is behind it behind. */
function settle(all: Ranked[], place: number, { low: first, compare }: { readonly low: number; readonly compare: Compare }): void {
  let low = first;
  let high = all.length - 1;
  while (low < high) {
    // By chance, so that no order of objects is a slow one.
    const pivot = all[low + Math.floor(Math.random() * (high - low + 1))];
    if (pivot === undefined) return;
    let [left, right] = [low, high];
    while (left <= right) {
      for (let one = all[left]; one !== undefined && compare(one, pivot) < 0; one = all[left]) left++;
      for (let one = all[right]; one !== undefined && compare(one, pivot) > 0; one = all[right]) right--;
      if (left > right) break;
      const [one, other] = [all[left], all[right]];
      if (one !== undefined && other !== undefined) [all[left], all[right]] = [other, one];
      left++;
      right--;
    }
    if (place <= right) high = right;
    else if (place >= left) low = left;
    else return;
  }
}

function compareRanked(one: Ranked, other: Ranked<Pick<Row, 'key'>>, signs: readonly number[]): number {
  for (let at = 0; at < signs.length; at++) {
    const left = one.keys[at] ?? null;
    const right = other.keys[at] ?? null;
    if (left === right) continue;
    if (left === null || right === null) return left === null ? 1 : -1;
    const sign = signs[at] ?? 1;
    // Numbers stand before texts.
    if (typeof left !== typeof right) return typeof left === 'number' ? -sign : sign;
    return left < right ? -sign : sign;
  }
  const left = one.row.key;
  const right = other.row.key;
  return left === right ? 0 : left < right ? -1 : 1;
}

/** To make them takes longer than to sort by them. */
function keyAt(row: Row, slot: number): Key {
  const known = row.keys[slot];
  if (known !== undefined) return known;
  const key = keyOf(row.cells[slot]);
  row.keys[slot] = key;
  return key;
}

function keyOf(cell: Cell): Key {
  const value = Array.isArray(cell) ? cell[0] : cell;
  if (typeof value === 'number') return value;
  return value === undefined ? null : naturalKey(String(value));
}

/** Compared by its characters, it stands where people expect it: `node-9` before `node-10`, whatever the case. */
function naturalKey(text: string): string {
  const lower = text.toLowerCase();
  return /\d/.test(lower)
    ? lower.replace(/0*(\d+)/g, (_, digits: string) => String.fromCharCode(0x30 + Math.min(digits.length, 48)) + digits)
    : lower;
}

const cursorForm = z.tuple([z.string(), z.array(z.union([z.string(), z.number(), z.null()])), z.string()]);

/** Where a page ends: what its last object was ordered by. It tells nothing that its reader has not seen. */
function renderCursor({ row, keys }: Ranked, sort: string): string {
  return Buffer.from(JSON.stringify([sort, keys, row.key])).toString('base64url');
}

function parseCursor(text: string, sort: string, count: number): Ranked<Pick<Row, 'key'>> {
  const read = z.safeParse(cursorForm, tryJson(Buffer.from(text, 'base64url').toString()));
  if (!read.success || read.data[1].length !== count) throw fail('api-request-invalid', { problem: 'the cursor is none of this manager' });
  const [sorted, keys, key] = read.data;
  if (sorted !== sort)
    throw fail('api-request-invalid', { problem: `the cursor is of a list that is sorted by ${JSON.stringify(sorted)}` });
  return { row: { key }, keys };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
