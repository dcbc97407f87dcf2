// `rfo manager get`: what is in a cluster, as the manager filters, sorts and pages it.
import { fail } from '@rfo/foundation';
import { loadManagerCliOptions, loadManagerSchema } from '@rfo/schema';
import * as z from 'zod/mini';
import type { CommandContext, Run } from '../../cli/context.ts';
import { renderTable } from '../../cli/render-table.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { type ManagerClient, openManager, type Query } from './client.ts';
import { followList, type Item } from './follow-list.ts';
import { inPath } from './operands.ts';
import { fieldOf, listAt, renderData, tellEmpty } from './output.ts';
import { showFollowed } from './show-followed.ts';

type Served = z.infer<Awaited<ReturnType<typeof loadManagerSchema>>['servedResource']>;

const page = z.object({ items: z.array(z.looseObject({})), total: z.number(), next: z.optional(z.string()) });
type Listed = z.infer<typeof page>['items'];

const mostPerPage = 500;

export const getResources: Run = async (context) => {
  const { values, operands } = loadFlags((await loadManagerCliOptions()).managerGetConfig, context, 3);
  const { cluster, kind, name } = readOperands(operands);
  const { client } = await openManager(context);
  const resource = await findResource(client, cluster, kind);
  const { namespace, selector, search, sort, limit, output, watch, 'output-watch-events': events } = values;
  const filter = [...values.filter, ...(name === undefined ? [] : [`metadata.name=${name}`])];
  const wish = { cluster, resource, limit, query: { namespace, selector, filter, search, sort } };
  if (watch) {
    if (name !== undefined) await demand(client, wish, name);
    const { group, version, resource: plural, namespaced } = resource;
    const of = { cluster, group, version, resource: plural, ...(namespace !== undefined && { namespace }) };
    const steps = followList(client, { of, filter, selector, search, sort, pageSize: limit }, context);
    return await showFollowed(
      steps,
      { format: output, titles: titlesOf(namespaced), row: (item) => rowOf(item, namespaced), events },
      context,
    );
  }
  const found = name === undefined ? await fetchAll(client, wish) : await demand(client, wish, name);
  await write(found, { format: output, name, wish }, context);
  return 0;
};

/** `lyon pods`, `lyon pods web-1` or `lyon pods/web-1`. */
function readOperands(operands: readonly string[]): { readonly cluster: string; readonly kind: string; readonly name: string | undefined } {
  const [cluster, what, given] = operands;
  if (cluster === undefined || what === undefined || what === '')
    throw fail('argument-missing', { command: 'manager get', what: 'the name of a cluster and a resource' });
  const [kind = '', behind] = what.split('/', 2);
  if (behind !== undefined && given !== undefined) throw fail('argument-unexpected', { command: 'manager get', argument: given });
  return { cluster, kind, name: given ?? behind };
}

/** By any of its names, as kubectl takes them: `pods`, `po`, `pod`, `deployments.apps`. */
async function findResource(client: ManagerClient, cluster: string, name: string): Promise<Served> {
  const { servedResource } = await loadManagerSchema();
  const { items } = await client.call(z.object({ items: z.array(servedResource) }), {
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

type Wish = { readonly cluster: string; readonly resource: Served; readonly limit: number; readonly query: Query };
type Found = { readonly items: Listed; readonly total: number };

async function fetchAll(client: ManagerClient, { cluster, resource, limit, query }: Wish): Promise<Found> {
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

/** What has this name, of which there is one in each namespace at most. @throws manager-object-missing */
async function demand(client: ManagerClient, wish: Wish, name: string): Promise<Found> {
  const found = await fetchAll(client, wish);
  if (found.total > 0) return found;
  const { cluster, resource, query } = wish;
  const where = query.namespace === undefined ? `cluster ${cluster}` : `namespace ${String(query.namespace)} of cluster ${cluster}`;
  throw fail('manager-object-missing', { where, resource: resource.resource, name, cluster });
}

async function write(
  { items, total }: Found,
  { format, name, wish }: { readonly format: 'table' | 'json' | 'yaml'; readonly name: string | undefined; readonly wish: Wish },
  context: CommandContext,
): Promise<void> {
  const { cluster, resource } = wish;
  const { namespaced, resource: plural } = resource;
  const [first] = items;
  if (format === 'table')
    context.stdout.write(
      renderTable(
        titlesOf(namespaced),
        items.map((item) => rowOf(item, namespaced)),
      ),
    );
  // Who names one object means that object, and no list.
  else if (name === undefined) context.stdout.write(await renderData(items, format));
  else if (items.length === 1) context.stdout.write(await renderData(first, format));
  else {
    const namespaces = items.map((item) => String(fieldOf(item, 'metadata', 'namespace'))).join(', ');
    throw fail('manager-object-ambiguous', { cluster, resource: plural, name, namespaces });
  }
  if (format === 'table' && total === 0) tellEmpty(context);
  if (items.length < total) context.stderr.write(`rfo: ${items.length} of ${total} are shown: give --limit, or a --filter.\n`);
}

function titlesOf(namespaced: boolean): readonly string[] {
  return [...(namespaced ? ['NAMESPACE'] : []), 'NAME', 'STATUS', 'CREATED'];
}

function rowOf(item: Item, namespaced: boolean): readonly string[] {
  const at = (...path: readonly string[]): string => plain(fieldOf(item, ...path));
  return [
    ...(namespaced ? [at('metadata', 'namespace')] : []),
    at('metadata', 'name'),
    statusOf(item),
    at('metadata', 'creationTimestamp'),
  ];
}

/** What most kinds have of it: a phase, or the condition that sums it up. */
function statusOf(item: Item): string {
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
