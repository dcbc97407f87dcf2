/** A line of the audit log: what it says, and the hash that chains it to the one before. */
import { createHash } from 'node:crypto';
import type { AuditEntry } from './types.ts';

/** The hash that the very first line carries. */
export const noHash = '0'.repeat(64);

export type LinePlace = { readonly seq: number /** Hash of the line before. */; readonly prev: string };

/** One line of JSON without its newline. Strings of clients are cut at some length: nobody fills the disk through a name. @param time milliseconds since 1970 */
export function renderLine(entry: AuditEntry, { seq, prev, time }: LinePlace & { readonly time: number }): string {
  const { act, remote, token, key, client, user, profile, subject, names, node, serial, authorityKeyId, result, reason, code } = entry;
  const said = { act, remote, token, key, client, user, profile, subject, names, node, serial, authorityKeyId, result, reason, code };
  return JSON.stringify({ seq, time: new Date(time).toISOString(), ...said, prev }, (_, value: unknown) => shorten(value));
}

/** SHA-256 of a line without its newline, in hex. */
export function hashLine(line: string | Uint8Array): string {
  return createHash('sha256').update(line).digest('hex');
}

/** The place of a line, or undefined for what is none of ours. */
export function readLine(line: string): LinePlace | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('seq' in value) || !('prev' in value)) return undefined;
    const { seq, prev } = value;
    return typeof seq === 'number' && Number.isSafeInteger(seq) && typeof prev === 'string' ? { seq, prev } : undefined;
  } catch {
    return undefined;
  }
}

const longest = 1024;
const most = 100;

function shorten(value: unknown): unknown {
  if (typeof value === 'string' && value.length > longest) return `${value.slice(0, longest)}… (${value.length} characters)`;
  if (Array.isArray(value) && value.length > most) return [...value.slice(0, most), `… (${value.length} of them)`];
  return value;
}
