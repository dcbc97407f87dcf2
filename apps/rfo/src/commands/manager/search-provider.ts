// `rfo manager providers search`: whom a directory knows, for whoever gives rights.
import { fail } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { openManager } from './client.ts';
import { inPath } from './operands.ts';
import { type Columns, fieldOf, writeList } from './output.ts';

const answer = z.object({ items: z.array(z.looseObject({ name: z.string() })) });

/** Groups as they are written among members; users are known here from their first sign-in on, and may be named in the provider before. */
const columnsOf = (provider: string): Columns => ({
  'KIND': ({ spec }) => fieldOf(spec, 'kind'),
  'NAME': ({ name }) => name,
  'DISPLAY NAME': ({ spec }) => fieldOf(spec, 'displayName'),
  'AS A MEMBER': ({ name, spec }) => (fieldOf(spec, 'kind') === 'Group' ? `group:${provider}:${name}` : undefined),
});

export const searchProvider: Run = async (context) => {
  const { values, operands } = loadFlags((await loadManagerCliOptions()).managerProvidersSearchConfig, context, 2);
  const [provider, search] = operands;
  if (provider === undefined || search === undefined)
    throw fail('argument-missing', { command: 'manager providers search', what: 'the name of a provider and how a name begins' });
  const { client } = await openManager(context);
  const found = await client.call(answer, { method: 'GET', path: `/authProviders/${inPath(provider)}/found`, query: { search } });
  const items = found.items.map(({ name, ...spec }) => ({ name, spec }));
  await writeList({ items, total: items.length }, { columns: columnsOf(provider), format: values.output }, context);
  return 0;
};
