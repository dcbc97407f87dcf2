/** What is asked of objects again and again, read out of them once: a value for each object and each field that somebody filters or sorts by. */
import { fail } from '@rfo/foundation';
import type { KubeObject } from '@rfo/kube';
import { type Path, valuesAt } from '../api/list-query.ts';
import type { Labels } from './label-selector.ts';

/** Of a list its values one by one; undefined where nothing stands. */
export type Cell = string | number | boolean | Labels | readonly (string | number | boolean)[] | undefined;

export type Column = {
  readonly id: string;
  readonly read: (object: KubeObject) => Cell;
  /** Where in `Row.cells` it stands. */
  readonly slot: number;
  /** Every object of now has its value. */
  filled: boolean;
  /** Who holds it at present. */
  users: number;
};

/** What a column is made of. */
export type ColumnSource = Pick<Column, 'id' | 'read'>;

export type Columns = {
  /** All that are there, by slot. */
  readonly slots: readonly (Column | undefined)[];
  /** Gives the columns, each to be released once. Throws api-request-invalid when too many different fields are in use. */
  readonly hold: (sources: readonly ColumnSource[]) => readonly Column[];
  readonly release: (columns: readonly Column[]) => void;
};

/** Fields of one resource that are kept at once. One that nobody holds gives way, the longest unused first. */
const most = 48;

export function createColumns(): Columns {
  const slots: (Column | undefined)[] = [];
  /** The longest unused first. */
  const known = new Map<string, Column>();

  const room = (): number => {
    if (known.size < most) return known.size;
    for (const [id, { users, slot }] of known) {
      if (users > 0) continue;
      known.delete(id);
      slots[slot] = undefined;
      return slot;
    }
    throw fail('api-request-invalid', { problem: `more than ${most} different fields are filtered or sorted by at once` });
  };

  const hold = ({ id, read }: ColumnSource): Column => {
    let column = known.get(id);
    if (column === undefined) {
      const slot = room();
      column = { id, read, slot, filled: false, users: 0 };
      slots[slot] = column;
    } else known.delete(id);
    known.set(id, column);
    column.users++;
    return column;
  };

  const release = (columns: readonly Column[]): void => {
    for (const column of columns) column.users--;
  };

  return {
    slots,
    release,
    hold: (sources) => {
      const held: Column[] = [];
      try {
        for (const source of sources) held.push(hold(source));
      } catch (error) {
        release(held);
        throw error;
      }
      return held;
    },
  };
}

/** Fields of the metadata that may be named without it, as in the lists of the manager's own objects. */
const short: ReadonlySet<string> = new Set(['name', 'namespace', 'labels', 'annotations']);

/** The column of a path of fields. */
export function fieldColumn(path: Path): ColumnSource {
  const [first = ''] = path;
  const whole = short.has(first) ? ['metadata', ...path] : first === 'createdAt' ? ['metadata', 'creationTimestamp'] : path;
  return { id: JSON.stringify(whole), read: (object) => cellOf(valuesAt(object, whole)) };
}

export const labelsColumn: ColumnSource = { id: 'labels', read: ({ metadata }) => metadata.labels ?? {} };

/** All that `search` looks into: name, namespace and labels, in lower case. */
export const searchColumn: ColumnSource = {
  id: 'search',
  read: ({ metadata: { name, namespace = '', labels = {} } }) =>
    [namespace, name, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].join('\n').toLowerCase(),
};

export function valuesOf(cell: Cell): readonly unknown[] {
  if (cell === undefined) return [];
  return Array.isArray(cell) ? cell : [cell];
}

/** What is no single value cannot be compared with one. */
function cellOf(values: readonly unknown[]): Cell {
  const plain = values.filter((value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean');
  return plain.length < 2 ? plain[0] : plain;
}
