import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import type { ServerConfig } from '@rfo/schema';
import type { Paths } from '../paths.ts';

/** A node's secret is the last part of a full token, or the whole of a short one. Source: RKE2's `K10<ca hash>::<user>:<password>`. */
export function tokenPassword(token: string): string {
  const full = /^K10[0-9a-f]{64}::[^:]+:(.+)$/.exec(token.trim());
  return full?.[1] ?? token.trim();
}

/**
 * The full token that a joining node checks the cluster's CA with before it sends anything.
 * @param caPem the CA certificate exactly as `/cacerts` serves it
 */
export function renderToken(caPem: string, user: 'server' | 'node', password: string): string {
  return `K10${createHash('sha256').update(caPem).digest('hex')}::${user}:${password}`;
}

/**
 * Makes sure that the token files exist and hold the configured secrets (else random ones), and writes the password table that the
 * supervisor checks. A configured token that contradicts the one of the data directory is refused.
 * @throws token-unreadable, token-mismatch
 */
export async function ensureTokens(config: ServerConfig, paths: Paths): Promise<void> {
  const caPem = await readFile(join(paths.server.tls, 'server-ca.crt'), 'utf8');
  const stored = await readFileIfExists(paths.server.token);
  const storedPassword = stored === undefined ? undefined : tokenPassword(stored);
  const given = await configuredToken(config.token, config['token-file'], 'token-file');
  if (given !== undefined && storedPassword !== undefined && given !== storedPassword) {
    throw fail('token-mismatch', { file: paths.server.token });
  }
  const server = given ?? storedPassword ?? randomBytes(16).toString('hex');
  const agent = (await configuredToken(config['agent-token'], config['agent-token-file'], 'agent-token-file')) ?? server;
  const token = `${renderToken(caPem, 'server', server)}\n`;
  await Promise.all([
    writeFileIfChanged(paths.server.token, token, 0o600),
    writeFileIfChanged(paths.server.nodeToken, token, 0o600),
    writeFileIfChanged(paths.server.agentToken, `${renderToken(caPem, agent === server ? 'server' : 'node', agent)}\n`, 0o600),
    writeFileIfChanged(paths.server.passwd, `${server},server,server,rfo:server\n${agent},node,node,rfo:agent\n`, 0o600),
  ]);
}

/** Reads what the settings name without touching anything, so that a wrong path is told before the start. */
export async function configuredToken(value: string | undefined, file: string | undefined, key: string): Promise<string | undefined> {
  if (value !== undefined) return tokenPassword(value);
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fail('token-unreadable', { key, file, problem: error instanceof Error ? error.message : String(error) }, error);
  }
  if (text.trim() === '') throw fail('token-unreadable', { key, file, problem: 'the file is empty' });
  return tokenPassword(text);
}
