// `rfo manager get`: what is in a cluster, as the manager filters, sorts and pages it.
import { fail } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { renderTable } from '../../cli/render-table.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { type ManagerClient, openManager, type Query } from './client.ts';
import { inPath } from './operands.ts';
import { fieldOf, listAt, renderData } from './output.ts';

const served = z.object({
  group: z.string(),
  version: z.string(),
  resource: z.string(),
  kind: z.string(),
  singular: z.string(),
  shortNames: z.array(z.string()),
  namespaced: z.boolean(),
});
type Served = z.infer<typeof served>;

const page = z.object({ items: z.array(z.looseObject({})), total: z.number(), next: z.optional(z.string()) });
type Listed = z.infer<typeof page>['items'];

const mostPerPage = 500;

export const getResources: Run = async (context) => {
  const { values, operands } = loadFlags((await loadManagerCliOptions()).managerGetConfig, context, 2);
  const [cluster, name] = operands;
  if (cluster === undefined || name === undefined)
    throw fail('argument-missing', { command: 'manager get', what: 'the name of a cluster and a resource' });
  const { client } = await openManager(context);
  const resource = await findResource(client, cluster, name);
  const { namespace, selector, filter, search, sort, limit, output } = values;
  const { items, total } = await fetchAll(client, { cluster, resource, limit, query: { namespace, selector, filter, search, sort } });
  context.stdout.write(output === 'table' ? renderResources(items, resource.namespaced) : await renderData(items, output));
  if (items.length < total) context.stderr.write(`rfo: ${items.length} of ${total} are shown: give --limit, or a --filter.\n`);
  return 0;
};

/** By any of its names, as kubectl takes them: `pods`, `po`, `pod`, `deployments.apps`. */
async function findResource(client: ManagerClient, cluster: string, name: string): Promise<Served> {
  const { items } = await client.call(z.object({ items: z.array(served) }), {
    method: 'GET',
    path: `/clusters/${inPath(cluster)}/resources`,
  });
  const wanted = name.toLowerCase();
  const found = items.find(({ resource, singular, shortNames, kind, group }) =>
    [resource, singular, kind.toLowerCase(), ...shortNames].some((each) => wanted === each || wanted === `${each}.${group}`),
  );
  if (found === undefined) throw fail('manager-resource-unknown', { cluster, resource: name });
  return found;
}

type Asked = { readonly cluster: string; readonly resource: Served; readonly limit: number; readonly query: Query };

async function fetchAll(
  client: ManagerClient,
  { cluster, resource, limit, query }: Asked,
): Promise<{ readonly items: Listed; readonly total: number }> {
  const { group, version, resource: plural } = resource;
  const path = ['', 'clusters', cluster, 'resources', group, version, plural].map(inPath).join('/');
  const items: Listed = [];
  for (let cursor: string | undefined; ; ) {
    const pageSize = Math.min(limit - items.length, mostPerPage);
    const answer = await client.call(page, { method: 'GET', path, query: { ...query, pageSize, cursor } });
    items.push(...answer.items);
    cursor = answer.next;
    if (cursor === undefined || items.length >= limit) return { items, total: answer.total };
  }
}

function renderResources(items: Listed, namespaced: boolean): string {
  const titles = [...(namespaced ? ['NAMESPACE'] : []), 'NAME', 'STATUS', 'CREATED'];
  const rows = items.map((item) => {
    const at = (...path: readonly string[]): string => plain(fieldOf(item, ...path));
    return [
      ...(namespaced ? [at('metadata', 'namespace')] : []),
      at('metadata', 'name'),
      statusOf(item),
      at('metadata', 'creationTimestamp'),
    ];
  });
  return renderTable(titles, rows);
}

/** What most kinds have of it: a phase, or the condition that sums it up. */
function statusOf(item: Listed[number]): string {
  if (fieldOf(item, 'metadata', 'deletionTimestamp') !== undefined) return 'Terminating';
  const phase = fieldOf(item, 'status', 'phase');
  if (phase !== undefined) return plain(phase);
  const summary = listAt(item, 'status', 'conditions').find((each) => ['Ready', 'Available'].includes(plain(fieldOf(each, 'type'))));
  if (summary === undefined) return '';
  const type = plain(fieldOf(summary, 'type'));
  return fieldOf(summary, 'status') === 'True' ? type : `Not${type}`;
}

/** A terminal obeys control characters, and others may have written these texts. */
function plain(value: unknown): string {
  return value === undefined || value === null ? '' : String(value).replace(/\p{Cc}+/gu, ' ');
}
