// The tokens of the whole cluster, as each server keeps them on its disk.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { Paths } from '../paths.ts';
import { parsePasswd, renderPasswd } from './passwd.ts';
import { caHash, renderToken } from './token-format.ts';

export type ClusterTokenKind = 'server' | 'agent';

/** A token that was replaced. Accepted until then; known afterwards, so that a node that still has it configured can be told. */
export type OldToken = {
  readonly which: ClusterTokenKind;
  /** Hex. */
  readonly salt: string;
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly until: number;
};

export type ClusterTokens = {
  /** Grows with each rotation; where two copies differ, the higher one holds. */
  readonly revision: number;
  /** Passwords, not tokens: the hash of the CA is put before them where they are shown. */
  readonly server: string;
  /** Absent: agents join with the server token. */
  readonly agent?: string | undefined;
  readonly old: readonly OldToken[];
};

const oldToken = z.object({ which: z.enum(['server', 'agent']), salt: z.string(), hash: z.string(), until: z.number() });
const schema = z.object({ revision: z.number(), server: z.string(), agent: z.optional(z.string()), old: z.array(oldToken) });

/** @throws data-unreadable */
export function parseClusterTokens(text: string, where: string): ClusterTokens {
  try {
    return z.parse(schema, JSON.parse(text));
  } catch {
    // Neither message is passed on: the one of JSON.parse quotes the text.
    throw fail('data-unreadable', { file: where });
  }
}

export function renderClusterTokens(tokens: ClusterTokens): string {
  const { revision, server, agent, old } = tokens;
  return `${JSON.stringify({ revision, server, ...(agent !== undefined && { agent }), old }, undefined, 2)}\n`;
}

/**
 * What this server's disk says; undefined before its first start. Where only the password table is there (an older version wrote the
 * data directory), it stands in.
 * @throws data-unreadable
 */
export async function readClusterTokens(paths: Paths): Promise<ClusterTokens | undefined> {
  const { clusterTokens, passwd } = paths.server;
  const [own, table] = await Promise.all([readFileIfExists(clusterTokens), readFileIfExists(passwd)]);
  if (own !== undefined) return parseClusterTokens(own, clusterTokens);
  return table === undefined ? undefined : { revision: 1, ...parsePasswd(table, passwd), old: [] };
}

/** Writes them, and everything that is made from them; each file whole or not at all, the one that is read back first. */
export async function writeClusterTokens(paths: Paths, tokens: ClusterTokens): Promise<void> {
  const { server, agent = server } = tokens;
  const hash = caHash(await readFile(join(paths.server.tls, 'server-ca.crt'), 'utf8'));
  const token = (user: 'server' | 'node', password: string): string =>
    `${renderToken({ caHash: hash, credential: { kind: 'password', user, password } })}\n`;
  await writeFileIfChanged(paths.server.clusterTokens, renderClusterTokens(tokens), 0o600);
  await Promise.all([
    writeFileIfChanged(paths.server.token, token('server', server), 0o600),
    writeFileIfChanged(paths.server.nodeToken, token('server', server), 0o600),
    writeFileIfChanged(paths.server.agentToken, token(agent === server ? 'server' : 'node', agent), 0o600),
    writeFileIfChanged(paths.server.passwd, renderPasswd({ server, agent }), 0o600),
  ]);
}

/**
 * What is left of a token when another takes its place. Salted SHA-256, not a slow function: whoever may read it can read the new token
 * beside it, and it is compared for every node that joins during the overlap.
 */
export function retire(which: ClusterTokenKind, password: string, until: number): OldToken {
  const salt = randomBytes(16).toString('hex');
  return { which, salt, hash: saltedHash(salt, password).toString('hex'), until };
}

/** Compares without telling by its time how much was right. */
export function isOldToken({ salt, hash }: OldToken, password: string): boolean {
  const known = Buffer.from(hash, 'hex');
  const given = saltedHash(salt, password);
  return known.length === given.length && timingSafeEqual(known, given);
}

function saltedHash(salt: string, password: string): Buffer {
  return createHash('sha256').update(salt).update('\0').update(password).digest();
}
