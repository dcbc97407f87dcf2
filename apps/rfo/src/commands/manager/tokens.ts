// `rfo manager tokens …`: what programs sign in with.
import { fail } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { nothing, openManager } from './client.ts';
import { inPath } from './operands.ts';
import { type Columns, fetchList, fieldOf, managerObject, writeList, writeObject } from './output.ts';

const columns: Columns = {
  'NAME': ({ name }) => name,
  'USER': ({ spec }) => fieldOf(spec, 'user'),
  'KIND': ({ spec }) => fieldOf(spec, 'kind'),
  'CLUSTERS': ({ spec }) => fieldOf(spec, 'clusters') ?? 'all',
  'READ-ONLY': ({ spec }) => fieldOf(spec, 'readOnly') ?? false,
  'EXPIRES': ({ spec }) => fieldOf(spec, 'expiresAt'),
  'LAST USED': ({ status }) => fieldOf(status, 'lastUsed'),
  'DESCRIPTION': ({ spec }) => fieldOf(spec, 'description'),
};

/** The user's own, or with `--all` those of everybody. */
export const listTokens: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerTokensListConfig, context);
  const { client } = await openManager(context);
  const list = await fetchList(client, '/tokens', values, { all: values.all ? true : undefined });
  await writeList(list, { columns, format: values.output }, context);
  return 0;
};

/** What the manager answers once, and never again. */
export const madeToken = z.object({ token: managerObject, secret: z.string() });

/** Prints the token, alone, on the standard output, so that it can go straight into a file; what it is good for, beside it. */
export const createToken: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerTokensCreateConfig, context);
  const { client } = await openManager(context);
  const { description, ttl, cluster, output } = values;
  const body = {
    kind: 'api',
    description,
    ...(ttl !== undefined && { seconds: Math.round(ttl / 1000) }),
    ...(cluster.length > 0 && { clusters: cluster }),
    ...(values['read-only'] && { readOnly: true }),
  };
  const made = await client.call(madeToken, { method: 'POST', path: '/tokens', body });
  if (output !== 'token') {
    await writeObject(made, output, context);
    return 0;
  }
  context.stdout.write(`${made.secret}\n`);
  context.stderr.write(`Token ${made.token.name} is good until ${String(fieldOf(made.token.spec, 'expiresAt'))}. It is not shown again.\n`);
  return 0;
};

/** What a token was made with ends with it. */
export const deleteTokens: Run = async (context) => {
  const { operands } = loadFlags((await loadManagerCliOptions()).managerTokensDeleteConfig, context, Number.POSITIVE_INFINITY);
  if (operands.length === 0) throw fail('argument-missing', { command: 'manager tokens delete', what: 'the name of a token' });
  const { client } = await openManager(context);
  for (const operand of operands) {
    // A whole token is taken as well, but no more of it than its name goes anywhere.
    const name = /^rfo_([a-z0-9-]+)_/.exec(operand)?.[1] ?? operand;
    await client.call(nothing, { method: 'DELETE', path: `/tokens/${inPath(name)}` });
    context.stdout.write(`Token ${name} is deleted.\n`);
  }
  return 0;
};
