// Objects of the manager as lists, as one description, as JSON and as YAML.
import * as z from 'zod/mini';
import type { CommandContext } from '../../cli/context.ts';
import { renderTable } from '../../cli/render-table.ts';
import type { ManagerClient, Query } from './client.ts';

/** An object as the REST interface answers it. Fields that only a newer manager knows stay in it. */
export const managerObject = z.looseObject({
  name: z.string(),
  resourceVersion: z.optional(z.string()),
  createdAt: z.optional(z.string()),
  spec: z.looseObject({}),
  status: z.optional(z.looseObject({})),
});
export type ManagerObject = z.infer<typeof managerObject>;

export type Format = 'table' | 'json' | 'yaml';
/** Title of a column and what stands in it. */
export type Columns = Readonly<Record<string, (object: ManagerObject) => unknown>>;

export type ListOptions = {
  readonly filter: readonly string[];
  readonly search?: string | undefined;
  readonly sort?: string | undefined;
  readonly limit: number;
};

const page = z.object({ items: z.array(managerObject), total: z.number() });
const mostPerPage = 1000;

/** What the list route gives, page by page. @param query beside the one of the options */
export async function fetchList(client: ManagerClient, path: string, options: ListOptions, query: Query = {}) {
  const { filter, search, sort, limit } = options;
  const pageSize = Math.min(limit, mostPerPage);
  const items: ManagerObject[] = [];
  for (let number = 1; ; number += 1) {
    const asked = { ...query, filter, search, sort, pageSize, page: number };
    const answer = await client.call(page, { method: 'GET', path, query: asked });
    items.push(...answer.items);
    if (answer.items.length < pageSize || items.length >= Math.min(limit, answer.total))
      return { items: items.slice(0, limit), total: answer.total };
  }
}

/** Writes a list; tells when it was cut. */
export async function writeList(
  { items, total }: { readonly items: readonly ManagerObject[]; readonly total: number },
  { columns, format }: { readonly columns: Columns; readonly format: Format },
  { stdout, stderr }: CommandContext,
): Promise<void> {
  const rows = (): readonly (readonly string[])[] => items.map((item) => cellsOf(columns, item));
  stdout.write(format === 'table' ? renderTable(Object.keys(columns), rows()) : await renderData(items, format));
  if (format === 'table' && total === 0) tellEmpty({ stderr });
  if (items.length < total) stderr.write(`rfo: ${items.length} of ${total} are shown: give --limit, or a --filter.\n`);
}

/** A header alone leaves it open whether something went wrong. */
export function tellEmpty({ stderr }: Pick<CommandContext, 'stderr'>): void {
  stderr.write('rfo: Nothing was found.\n');
}

/** An object as a line of a table. */
export function cellsOf(columns: Columns, object: ManagerObject): readonly string[] {
  return Object.values(columns).map((cell) => show(cell(object)));
}

/** Writes one object: as a table its fields line by line. */
export async function writeObject(object: unknown, format: Format, { stdout }: Pick<CommandContext, 'stdout'>): Promise<void> {
  // What is nested reads best as YAML, without the quotes of JSON.
  stdout.write(await renderData(object, format === 'json' ? 'json' : 'yaml'));
}

export async function renderData(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${JSON.stringify(value, undefined, 2)}\n`;
  // Loaded only here: kubectl waits for what needs none of it.
  const { stringify } = await import('yaml');
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, version: '1.1' });
}

/** What stands at a path of fields, `undefined` where nothing does. */
export function fieldOf(value: unknown, ...path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return fieldOf((value as Readonly<Record<string, unknown>>)[key], ...rest);
}

/** A list of objects at a path; empty where there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = fieldOf(value, ...path);
  return Array.isArray(found) ? found : [];
}

function show(value: unknown): string {
  if (value === undefined || value === null) return '';
  // A terminal obeys control characters, and others may have written these texts.
  return Array.isArray(value) ? value.map(show).join(',') : String(value).replace(/\p{Cc}+/gu, ' ');
}
