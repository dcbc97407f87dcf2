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
type Key = string | number | null;

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
    const best = keepBest(first + pageSize, signs);
    let total = 0;
    for (const row of rows) {
      if (!visible(row)) continue;
      if (searched !== undefined && needle !== undefined && !String(row.cells[searched]).includes(needle)) continue;
      if (labelled !== undefined && holds?.((row.cells[labelled] ?? {}) as Labels) === false) continue;
      if (!asked.every((one) => one.holds(valuesOf(row.cells[one.slot])))) continue;
      total++;
      const ranked = { row, keys: order.map(({ slot }) => keyOf(row.cells[slot])) };
      if (cursor === undefined || compareRanked(ranked, cursor, signs) > 0) best.add(ranked);
    }
    const { kept, more } = best.finish();
    const cut = kept.slice(first);
    const last = cut.at(-1);
    return { rows: cut.map(({ row }) => row), total, next: more && last !== undefined ? renderCursor(last, sort) : undefined };
  };
  return { sources, select };
}

type Ranked<R = Row> = { readonly row: R; readonly keys: readonly Key[] };

/** The first `count` of what is added, in order, without sorting what comes behind them. */
function keepBest(count: number, signs: readonly number[]) {
  let kept: Ranked[] = [];
  let added = 0;
  let worst: Ranked | undefined;
  const cut = (): void => {
    kept.sort((one, other) => compareRanked(one, other, signs));
    kept = kept.slice(0, count);
    if (kept.length === count) worst = kept.at(-1);
  };
  return {
    add: (ranked: Ranked): void => {
      added++;
      if (worst !== undefined && compareRanked(ranked, worst, signs) >= 0) return;
      kept.push(ranked);
      if (kept.length >= 2 * count + 64) cut();
    },
    finish: () => {
      cut();
      return { kept, more: added > kept.length };
    },
  };
}

function compareRanked(one: Ranked, other: Ranked<Pick<Row, 'key'>>, signs: readonly number[]): number {
  for (const [at, sign] of signs.entries()) {
    const [left = null, right = null] = [one.keys[at], other.keys[at]];
    if (left === right) continue;
    if (left === null || right === null) return left === null ? 1 : -1;
    // Numbers stand before texts.
    if (typeof left !== typeof right) return (typeof left === 'number' ? -1 : 1) * sign;
    return left < right ? -sign : sign;
  }
  const [left, right] = [one.row.key, other.row.key];
  return left === right ? 0 : left < right ? -1 : 1;
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
