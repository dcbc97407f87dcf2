/** Rows of the two tables of join tokens. */
import type { SQLOutputValue } from 'node:sqlite';
import type { JoinToken, TokenUse } from './types.ts';

type Row = Record<string, SQLOutputValue>;

export const tokenColumns = 'id, node, profiles, addresses, max_nodes, description, created_at, expires_at';
export const useColumns = 'token, node, profile, public_key_hash, serial, authority_key_id, at';

export function readToken(row: Row): JoinToken {
  return {
    id: String(row.id),
    node: String(row.node),
    profiles: readStrings(row.profiles),
    addresses: readStrings(row.addresses),
    maxNodes: Number(row.max_nodes),
    description: String(row.description),
    createdAt: Number(row.created_at),
    expiresAt: row.expires_at === null ? undefined : Number(row.expires_at),
  };
}

export function readUse(row: Row): TokenUse {
  return {
    token: String(row.token),
    node: String(row.node),
    profile: String(row.profile),
    publicKeyHash: String(row.public_key_hash),
    serial: String(row.serial),
    authorityKeyId: String(row.authority_key_id),
    at: Number(row.at),
  };
}

function readStrings(value: SQLOutputValue | undefined): readonly string[] {
  const list: unknown = JSON.parse(String(value));
  return Array.isArray(list) ? list.map(String) : [];
}
