// How `rfo token list` shows tokens. Neither form holds a secret or its hash.
import type { MadeToken } from './made-token.ts';

const header = ['ID', 'ROLE', 'EXPIRES', 'USES', 'LAST USED', 'DESCRIPTION'];

/** @param now milliseconds since 1970 */
export function renderTokenTable(tokens: readonly MadeToken[], now: number): string {
  const rows = tokens.map((token) => {
    const { id, role, description, maxUses, uses } = token;
    const expires = `${showTime(token.expires) ?? 'never'}${isExpired(token, now) ? ' (expired)' : ''}`;
    return [id, role, expires, maxUses === undefined ? String(uses) : `${uses} of ${maxUses}`, showTime(token.lastUsed) ?? '', description];
  });
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const show = (line: readonly string[]): string => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return lines.map((line) => `${show(line).trimEnd()}\n`).join('');
}

/** A list of objects; what a token does not have is null. Times are RFC 3339. */
export function renderTokenJson(tokens: readonly MadeToken[], now: number): string {
  const shown = tokens.map((token) => ({
    id: token.id,
    role: token.role,
    description: token.description,
    expires: showTime(token.expires) ?? null,
    expired: isExpired(token, now),
    uses: token.uses,
    maxUses: token.maxUses ?? null,
    lastUsed: showTime(token.lastUsed) ?? null,
    nodes: token.nodes,
  }));
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}

function isExpired({ expires }: MadeToken, now: number): boolean {
  return expires !== undefined && expires <= now;
}

function showTime(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
