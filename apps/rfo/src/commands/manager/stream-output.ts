// What comes bit by bit, as the commands print it.
import { growingTable } from '../../cli/render-table.ts';
import { type Format, renderData } from './output.ts';

/** A table whose header comes first, one JSON text a line, or a document of YAML each. */
export function streamOf<T>(
  format: Format,
  {
    titles,
    row,
    data,
  }: { readonly titles: readonly string[]; readonly row: (item: T) => readonly string[]; readonly data: (item: T) => unknown },
): (items: readonly T[]) => Promise<string> {
  if (format === 'json') return async (items) => items.map((item) => `${JSON.stringify(data(item))}\n`).join('');
  if (format === 'yaml')
    return async (items) => (await Promise.all(items.map(async (item) => `---\n${await renderData(data(item), 'yaml')}`))).join('');
  const table = growingTable(titles);
  return async (items) => table(items.map(row));
}
