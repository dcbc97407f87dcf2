// `rfo ca token create|list|delete`: which nodes may have certificates.
import { fail, systemClock } from '@rfo/foundation';
import { loadCaOptions, nearest } from '@rfo/schema';
import { readConfigFile } from '../../ca/keys/signing-config.ts';
import type { Run } from '../../cli/context.ts';
import { renderTable, showTime } from '../../cli/render-table.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { localUser, openCa } from './open.ts';

/** What a kubelet needs: a certificate to show to the API server, and one to serve with. */
const kubeletProfiles = ['kubelet-client', 'kubelet-serving'] as const;

/** Prints the key, alone, on the standard output, so that it can go straight into a file; what it is good for, beside it. */
export const createJoinToken: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caTokenCreateConfig, context);
  const { node, pattern, profile, address, description = '', ttl } = config;
  const target = node ?? pattern;
  if (target === undefined || (node !== undefined && pattern !== undefined))
    throw fail('argument-missing', { command: 'ca token create', what: 'either --node or --pattern' });
  const maxNodes = config['max-nodes'] ?? 1;
  if (maxNodes > 1 && pattern === undefined)
    throw fail('argument-missing', { command: 'ca token create', what: 'a --pattern where --max-nodes is above 1' });
  const { paths, tokens, audit } = await openCa('ca token create', config, context);
  const profiles = profile.length > 0 ? profile : kubeletProfiles;
  const known = [...(await readConfigFile(paths.config, { env: context.env })).profiles.keys()];
  for (const name of profiles)
    if (!known.includes(name)) throw fail('ca-profile-unknown', { profile: name, suggestion: suggest(name, known) });
  const expiresAt = ttl === 0 ? undefined : systemClock.now() + ttl;
  const { token, key } = await tokens.create({ node: target, profiles, addresses: address, maxNodes, description, expiresAt });
  await audit.write({ act: 'token-create', user: localUser(), token: token.id, node: target, profile: profiles.join(','), result: 'done' });
  context.stdout.write(`${key}\n`);
  const until = expiresAt === undefined ? 'for ever' : `until ${showTime(expiresAt)}`;
  const who = maxNodes > 1 ? `${maxNodes} nodes like ${target}` : target;
  context.stderr.write(`Token ${token.id} lets ${who} have ${profiles.join(' and ')}, ${until}. It is not shown again.\n`);
  return 0;
};

/** Never shows a key. */
export const listJoinTokens: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caTokenListConfig, context);
  const { tokens } = await openCa('ca token list', config, context);
  const now = systemClock.now();
  const shown = tokens.list().map(({ id, node, profiles, addresses, maxNodes, description, createdAt, expiresAt, uses }) => ({
    ...{ id, node, profiles, addresses, maxNodes, description },
    created: showTime(createdAt),
    expires: expiresAt === undefined ? null : showTime(expiresAt),
    expired: expiresAt !== undefined && expiresAt <= now,
    nodes: [...new Set(uses.map((use) => use.node))],
    uses: uses.map((use) => ({ node: use.node, profile: use.profile, serial: use.serial, at: showTime(use.at) })),
  }));
  if (config.output === 'json') {
    context.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
    return 0;
  }
  const rows = shown.map(({ id, node, profiles, expires, expired, nodes, maxNodes, description }) => [
    ...[id, node, profiles.join(','), `${expires ?? 'never'}${expired ? ' (expired)' : ''}`],
    ...[`${nodes.length} of ${maxNodes}`, nodes.join(','), description],
  ]);
  context.stdout.write(renderTable(['ID', 'NODE', 'PROFILES', 'EXPIRES', 'JOINED', 'NODES', 'DESCRIPTION'], rows));
  return 0;
};

/** Deletes all of them or, where one is unknown, none. Certificates that nodes got with them stay. */
export const deleteJoinTokens: Run = async (context) => {
  const { values: config, operands } = loadFlags((await loadCaOptions()).caTokenDeleteConfig, context, Number.POSITIVE_INFINITY);
  if (operands.length === 0) throw fail('argument-missing', { command: 'ca token delete', what: 'the id of a token' });
  const { tokens, audit } = await openCa('ca token delete', config, context);
  const known = new Set(tokens.list().map(({ id }) => id));
  for (const id of operands) if (!known.has(id)) throw fail('ca-token-unknown', { id: id.slice(0, 12) });
  for (const id of new Set(operands)) {
    await tokens.delete(id);
    await audit.write({ act: 'token-delete', user: localUser(), token: id, result: 'done' });
    context.stdout.write(`token ${id} deleted\n`);
  }
  return 0;
};

function suggest(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `There are ${known.join(', ')}` : `Did you mean ${near}? There are ${known.join(', ')}`;
}
