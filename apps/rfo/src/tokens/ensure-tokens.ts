// Brings the tokens that are configured together with those that the disk holds, before anything is started.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fail, type Log } from '@rfo/foundation';
import type { ServerConfig } from '@rfo/schema';
import type { Paths } from '../paths.ts';
import { type ClusterTokenKind, type ClusterTokens, isOldToken, readClusterTokens, writeClusterTokens } from './cluster-tokens.ts';
import { type ParsedToken, parseToken } from './token-format.ts';

type TokenSettings = Pick<ServerConfig, 'token' | 'token-file' | 'agent-token' | 'agent-token-file'>;

/**
 * Makes sure that the token files hold the cluster's tokens: those of the disk; at the first start the configured ones, else a random
 * one. What the disk holds goes before what is configured: a token that was rotated out is told of and does not stop the server.
 * @throws token-unreadable, token-malformed, token-mismatch, token-form, data-unreadable
 */
export async function ensureTokens(input: {
  readonly config: TokenSettings;
  readonly paths: Paths;
  readonly log: Log;
}): Promise<ClusterTokens> {
  const { config, paths, log } = input;
  const [stored, server, agent] = await Promise.all([
    readClusterTokens(paths),
    configuredToken(config.token, config['token-file'], 'token-file'),
    configuredToken(config['agent-token'], config['agent-token-file'], 'agent-token-file'),
  ]);
  const tokens = stored ?? firstTokens({ server, agent });
  if (stored !== undefined) {
    for (const note of compare(stored, { server, agent }, paths)) log.warn(note);
  }
  for (const [key, password] of [
    ['token', tokens.server],
    ['agent-token', tokens.agent],
  ] as const) {
    if (password !== undefined && isShort(password))
      log.warn(`the ${key} has less than ${longEnough} characters and can be guessed: rotate it to a random one`);
  }
  await writeClusterTokens(paths, tokens);
  return tokens;
}

/**
 * Reads what the settings name without touching anything, so that a wrong path is told before the start.
 * @throws token-unreadable, token-malformed
 */
export async function configuredToken(value: string | undefined, file: string | undefined, key: string): Promise<ParsedToken | undefined> {
  if (value !== undefined) return parseToken(value, key.replace(/-file$/, ''));
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fail('token-unreadable', { key, file, problem: error instanceof Error ? error.message : String(error) }, error);
  }
  if (text.trim() === '') throw fail('token-unreadable', { key, file, problem: 'the file is empty' });
  return parseToken(text, `${key} ${file}`);
}

/**
 * The password of a token that is to be the cluster's own.
 * @throws token-form: nodes would present one of the other form as a token that somebody made, and be refused
 */
export function clusterPassword({ credential }: ParsedToken, key: string): string {
  if (credential.kind === 'id') throw fail('token-form', { key });
  return credential.password;
}

/** A shorter one is not a random one: what is sealed with it could be opened by trying. */
export const longEnough = 16;
export const isShort = (password: string): boolean => password.length < longEnough;

/** As RKE2's: 16 random bytes. */
export const randomPassword = (): string => randomBytes(16).toString('hex');

type Configured = { readonly server: ParsedToken | undefined; readonly agent: ParsedToken | undefined };

function firstTokens(configured: Configured): ClusterTokens {
  const server = configured.server === undefined ? randomPassword() : clusterPassword(configured.server, 'token');
  const agent = configured.agent === undefined ? server : clusterPassword(configured.agent, 'agent-token');
  return { revision: 1, server, ...(agent !== server && { agent }), old: [] };
}

/** What to warn of. A made token is none of the cluster's own: a server that joined with one may keep it in its settings. */
function compare(stored: ClusterTokens, configured: Configured, paths: Paths): readonly string[] {
  const judge = (key: 'token' | 'agent-token', given: ParsedToken | undefined, kinds: readonly ClusterTokenKind[]): readonly string[] => {
    const credential = given?.credential;
    if (credential === undefined || credential.kind === 'id') return [];
    const current = key === 'token' ? stored.server : (stored.agent ?? stored.server);
    if (credential.password === current) return [];
    if (stored.old.some((old) => kinds.includes(old.which) && isOldToken(old, credential.password))) {
      return [`the configured ${key} is an old one that was rotated out: remove the setting`];
    }
    throw fail('token-mismatch', { key, file: key === 'token' ? paths.server.token : paths.server.agentToken });
  };
  return [...judge('token', configured.server, ['server']), ...judge('agent-token', configured.agent, ['server', 'agent'])];
}
