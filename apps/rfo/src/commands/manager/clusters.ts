// `rfo manager clusters …`: the clusters that the manager looks after.
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { nothing, openManager } from './client.ts';
import { followList, type Item } from './follow-list.ts';
import { inPath, loadNamed } from './operands.ts';
import { type Columns, cellsOf, fetchList, fieldOf, managerObject, writeList, writeObject } from './output.ts';
import { confirm } from './prompt.ts';
import { readCa } from './recognise.ts';
import { showFollowed } from './show-followed.ts';

const columns: Columns = {
  'NAME': ({ name }) => name,
  'PHASE': ({ status }) => fieldOf(status, 'phase'),
  'VERSION': ({ status }) => fieldOf(status, 'kubernetesVersion'),
  'NODES': ({ status }) => fieldOf(status, 'nodes', 'total'),
  'AGENT': ({ status }) => fieldOf(status, 'agent', 'via'),
  'WHY': ({ status }) => (fieldOf(status, 'phase') === 'Active' ? undefined : fieldOf(status, 'agent', 'message')),
  'DISPLAY NAME': ({ spec }) => fieldOf(spec, 'displayName'),
};

export const listClusters: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerClustersListConfig, context);
  const { client } = await openManager(context);
  const { watch, filter, search, sort, limit, output, 'output-watch-events': events } = values;
  if (watch) {
    const steps = followList(client, { of: { kind: 'Cluster' }, filter, search, sort, pageSize: limit }, context);
    const row = (item: Item): readonly string[] => cellsOf(columns, z.parse(managerObject, item));
    return await showFollowed(steps, { format: output, titles: Object.keys(columns), row, events }, context);
  }
  await writeList(await fetchList(client, '/clusters', values), { columns, format: output }, context);
  return 0;
};

export const getCluster: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerClustersGetConfig, 'the name of a cluster', context);
  const { client } = await openManager(context);
  await writeObject(await client.call(managerObject, { method: 'GET', path: `/clusters/${inPath(name)}` }), values.output, context);
  return 0;
};

const registration = z.object({ url: z.string(), command: z.string(), expiresAt: z.string() });

/** Makes the cluster known, or a new address for one whose agent was never here, and prints the line that its administrator has to run. */
export const importCluster: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerClustersImportConfig, 'a name for the cluster', context);
  const { client } = await openManager(context);
  const spec = { displayName: values['display-name'], description: values.description };
  const known = await fetchList(client, '/clusters', { filter: [`name=${name}`], limit: 1 });
  const again = known.items.length > 0;
  const made = again
    ? await client.call(registration, { method: 'POST', path: `/clusters/${inPath(name)}/registration` })
    : (await client.call(z.object({ registration }), { method: 'POST', path: '/clusters', body: { name, spec } })).registration;
  if (values.output !== 'table') {
    await writeObject({ name, ...made }, values.output, context);
    return 0;
  }
  context.stdout.write(`${made.command}\n`);
  context.stderr.write(
    `Run this where kubectl reaches the cluster as its administrator. It works once, until ${made.expiresAt}.\nThen see: rfo manager clusters get ${name}\n`,
  );
  return 0;
};

export const changeCluster: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerClustersChangeConfig, 'the name of a cluster', context);
  const { endpoint, 'endpoint-address': address, 'endpoint-ca-file': caFile } = values;
  const caBundle = caFile === undefined ? undefined : await readCa(caFile);
  const authorizedEndpoint = {
    ...(endpoint && { enabled: endpoint === 'on' }),
    ...(address && { address }),
    ...(caBundle !== undefined && { caBundle }),
  };
  const spec = {
    displayName: values['display-name'],
    description: values.description,
    ...(Object.keys(authorizedEndpoint).length > 0 && { authorizedEndpoint }),
  };
  const { client } = await openManager(context);
  const changed = await client.call(managerObject, { method: 'PATCH', path: `/clusters/${inPath(name)}`, body: { spec } });
  if (values.output === 'table') context.stdout.write(`Cluster ${name} is changed.\n`);
  else await writeObject(changed, values.output, context);
  return 0;
};

/** What RFO put into the cluster is taken away; the cluster itself stays as it is. */
export const disconnectCluster: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerClustersDisconnectConfig, 'the name of a cluster', context);
  const { client } = await openManager(context);
  if (!values.yes) await confirm(`Disconnect ${name}? Its agent and what projects put there are removed.`, `the end of ${name}`, context);
  await client.call(nothing, { method: 'DELETE', path: `/clusters/${inPath(name)}` });
  context.stdout.write(`Cluster ${name} is being disconnected.\n`);
  return 0;
};
