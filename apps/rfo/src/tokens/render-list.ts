// How `rfo token list` shows tokens. Neither form holds a secret or its hash.
import { renderTable, showTime } from '../cli/render-table.ts';
import type { MadeToken } from './made-token.ts';

const header = ['ID', 'ROLE', 'EXPIRES', 'USES', 'LAST USED', 'DESCRIPTION'];

/** @param now milliseconds since 1970 */
export function renderTokenTable(tokens: readonly MadeToken[], now: number): string {
  const rows = tokens.map((token) => {
    const { id, role, description, maxUses, uses } = token;
    const expires = `${show(token.expires) ?? 'never'}${isExpired(token, now) ? ' (expired)' : ''}`;
    return [id, role, expires, maxUses === undefined ? String(uses) : `${uses} of ${maxUses}`, show(token.lastUsed) ?? '', description];
  });
  return renderTable(header, rows);
}

/** A list of objects; what a token does not have is null. Times are RFC 3339. */
export function renderTokenJson(tokens: readonly MadeToken[], now: number): string {
  const shown = tokens.map((token) => ({
    id: token.id,
    role: token.role,
    description: token.description,
    expires: show(token.expires) ?? null,
    expired: isExpired(token, now),
    uses: token.uses,
    maxUses: token.maxUses ?? null,
    lastUsed: show(token.lastUsed) ?? null,
    nodes: token.nodes,
  }));
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}

function isExpired({ expires }: MadeToken, now: number): boolean {
  return expires !== undefined && expires <= now;
}

function show(time: number | undefined): string | undefined {
  return time === undefined ? undefined : showTime(time);
}
