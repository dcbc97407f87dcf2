/** When a token ends: of what it was made for, what the settings allow now, and, of a session, its last use. */
import type { Token } from '@rfo/schema';
import type { Limits } from './settings.ts';

/**
 * @param used when this replica has seen it last, which the Token does not show at once
 * @returns milliseconds since 1970
 */
export function endOfToken({ metadata, spec, status }: Token, limits: Limits, used = 0): number {
  const created = Date.parse(metadata.creationTimestamp ?? '');
  const longest = spec.kind === 'session' ? limits.sessionMax : limits.tokenMax;
  const end = Math.min(Date.parse(spec.expiresAt), created + longest * 1000);
  if (spec.idleSeconds === undefined) return end;
  const last = Math.max(created, used, status?.lastUsed === undefined ? 0 : Date.parse(status.lastUsed));
  return Math.min(end, last + spec.idleSeconds * 1000);
}
