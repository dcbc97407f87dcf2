// `rfo token create|list|delete|rotate`: who may join the cluster.
import { text } from 'node:stream/consumers';
import { fail, systemClock } from '@rfo/foundation';
import { waitForFile } from '@rfo/process';
import { nearest, tokenCreateConfig, tokenDeleteConfig, tokenListConfig, tokenRotateConfig } from '@rfo/schema';
import type { CommandContext, Run } from '../cli/context.ts';
import { loadFor } from '../cli/with-config.ts';
import { type Paths, pathsOf } from '../paths.ts';
import { rotateClusterToken } from '../tokens/cluster-token-secret.ts';
import { parseClusterTokens, readClusterTokens } from '../tokens/cluster-tokens.ts';
import { clusterPassword, configuredToken, isShort, longEnough, randomPassword } from '../tokens/ensure-tokens.ts';
import { madeTokenRef } from '../tokens/made-token.ts';
import { createMadeToken, listMadeTokens } from '../tokens/made-tokens.ts';
import { renderTokenJson, renderTokenTable } from '../tokens/render-list.ts';
import { caHash, parseToken, renderToken } from '../tokens/token-format.ts';
import { connectAsAdministrator } from './administrator.ts';

/** Prints the token, alone, on the standard output, so that it can go straight into a file; what it is good for, beside it. */
export const createToken: Run = async (context) => {
  const { values: config } = await loadFor(tokenCreateConfig, context);
  const { client, caPem } = await connectAsAdministrator('token create', { paths: pathsOf(config), life: context.life });
  const expires = config.ttl === 0 ? undefined : systemClock.now() + config.ttl;
  const credential = await createMadeToken(client, {
    role: config.role,
    description: config.description ?? '',
    expires,
    maxUses: config['max-uses'],
    signal: context.life.signal,
  });
  context.stdout.write(`${renderToken({ caHash: caHash(caPem), credential })}\n`);
  const until = expires === undefined ? 'for ever' : `until ${new Date(expires).toISOString()}`;
  const uses = config['max-uses'] === undefined ? 'any number of times' : `${config['max-uses']} times`;
  context.stderr.write(`Token ${credential.id} lets ${config.role}s join, ${uses}, ${until}. It is not shown again.\n`);
  return 0;
};

/** Never shows a secret, nor its hash. */
export const listTokens: Run = async (context) => {
  const { values: config } = await loadFor(tokenListConfig, context);
  const { client } = await connectAsAdministrator('token list', { paths: pathsOf(config), life: context.life });
  const tokens = await listMadeTokens(client, context.life.signal);
  context.stdout.write(config.output === 'json' ? renderTokenJson(tokens, systemClock.now()) : renderTokenTable(tokens, systemClock.now()));
  return 0;
};

/** Deletes all of them or, where one is unknown, none. */
export const deleteTokens: Run = async (context) => {
  const { values: config, operands } = await loadFor(tokenDeleteConfig, context, Number.POSITIVE_INFINITY);
  if (operands.length === 0) throw fail('argument-missing', { command: 'token delete', what: 'the id of a token' });
  const { client } = await connectAsAdministrator('token delete', { paths: pathsOf(config), life: context.life });
  const known = (await listMadeTokens(client, context.life.signal)).map(({ id }) => id);
  const ids = operands.map((operand) => knownId(operand, known));
  for (const id of ids) {
    await client.delete(madeTokenRef(id), { signal: context.life.signal });
    context.stdout.write(`token ${id} deleted\n`);
  }
  return 0;
};

/** Replaces a token of the cluster; every server takes it over by itself. */
export const rotateToken: Run = async (context) => {
  const { values: config, operands } = await loadFor(tokenRotateConfig, context, Number.POSITIVE_INFINITY);
  // What stands there was meant for a token, most likely: it is not repeated in an error.
  if (config['new-token'] !== undefined || operands.length > 0) throw fail('token-in-arguments', {});
  const password = await readPassword(config['new-token-file']);
  const { which, overlap } = config;
  const paths = pathsOf(config);
  const { client } = await connectAsAdministrator('token rotate', { paths, life: context.life });
  const own = await readClusterTokens(paths);
  if (own === undefined) throw fail('server-only', { command: 'token rotate', file: paths.server.clusterTokens });
  const now = systemClock.now();
  const { revision } = await rotateClusterToken({ client, own, which, password, now, until: now + overlap, signal: context.life.signal });
  const old = overlap === 0 ? 'is accepted no longer' : `is accepted until ${new Date(now + overlap).toISOString()}`;
  context.stdout.write(`The ${which} token is replaced; the old one ${old}.\nNodes that have joined need nothing.\n`);
  if (isShort(password)) context.stderr.write(`rfo: the new token has less than ${longEnough} characters and can be guessed.\n`);
  await tellTakeover(context, { paths, which, revision });
  return 0;
};

async function readPassword(file: string | undefined): Promise<string> {
  if (file === undefined) return randomPassword();
  const token =
    file === '-' ? parseToken(await text(process.stdin), 'the standard input') : await configuredToken(undefined, file, 'new-token-file');
  return token === undefined ? randomPassword() : clusterPassword(token, 'the new token');
}

/** Milliseconds that the server of this host has to take the token over. */
const takeoverWithin = 15_000;

async function tellTakeover(
  { life, stdout, stderr }: CommandContext,
  what: { paths: Paths; which: 'server' | 'agent'; revision: number },
): Promise<void> {
  const { paths, which, revision } = what;
  const { clusterTokens, token, agentToken } = paths.server;
  const predicate = (content: string): boolean => parseClusterTokens(content, clusterTokens).revision >= revision;
  const timeout = AbortSignal.timeout(takeoverWithin);
  try {
    await waitForFile(clusterTokens, { signal: AbortSignal.any([life.signal, timeout]), predicate });
    stdout.write(`The new one stands in ${which === 'server' ? token : agentToken}, as on every other server.\n`);
  } catch (error) {
    if (!timeout.aborted) throw error;
    stderr.write('rfo: the server of this host has not taken it over yet. It will when it runs: see its log.\n');
  }
}

/** Takes whole tokens as well, but repeats no more of what it is given than an id. */
function knownId(operand: string, known: readonly string[]): string {
  const [, id] = /^(?:K10[0-9a-f]{64}::)?([a-z0-9]{6})(?:\.[a-z0-9]{16})?$/.exec(operand) ?? [];
  if (id !== undefined && known.includes(id)) return id;
  const near = nearest(id ?? '', known);
  const all = 'All tokens: rfo token list';
  throw fail('token-unknown', {
    id: id ?? `${operand.slice(0, 6)}…`,
    suggestion: near === undefined ? all : `Did you mean ${near}? ${all}`,
  });
}
