import type { Log } from '@rfo/foundation';
import type { AuditEntry } from '../audit/types.ts';

/** So many refusals are told in a window of so many milliseconds; the audit log has bounds of its own. */
const bounds = { window: 10_000, told: 20 } as const;

const windows = new WeakMap<Log, { readonly end: number; refused: number }>();

/** Tells the log of a refusal: strangers must not fill it, so that of many most are only counted. */
export function tellRefusal(log: Log, entry: AuditEntry): void {
  const now = performance.now();
  const former = windows.get(log);
  const window = former !== undefined && now < former.end ? former : { end: now + bounds.window, refused: 0 };
  windows.set(log, window);
  const silent = window === former ? 0 : (former?.refused ?? 0) - bounds.told;
  if (silent > 0) log.warn('further requests were refused and not told', { count: silent });
  if (++window.refused <= bounds.told) log.warn('a request was refused', entry);
}
