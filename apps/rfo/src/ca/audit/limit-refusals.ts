/**
 * Keeps strangers from filling the disk with refusals, which would stop the CA itself: beyond so many a minute they are counted and written down
 * as one line. What was done is never left out.
 */
import type { Clock } from '@rfo/foundation';
import type { AuditEntry } from './types.ts';

export type RefusalLimit = {
  /** Whether the entry is to be written; a refusal that is not is counted. */
  readonly admits: (entry: AuditEntry) => boolean;
  /** What was counted in minutes that are over, or, at the end, at all; undefined where there is nothing to tell. */
  readonly due: (end?: 'end') => AuditEntry | undefined;
};

const windowMs = 60_000;
/** Lines a minute of one address and of all together: 300 bytes each, at most some 260 MB a day. */
const mostOfOne = 60;
const mostOfAll = 600;

export function limitRefusals(clock: Clock): RefusalLimit {
  let began = clock.now();
  let written = 0;
  let ofOne = new Map<string, number>();
  /** Of this minute, and of those before that have not been told. */
  let counted = 0;
  let untold = 0;

  const turn = (): void => {
    const now = clock.now();
    // A clock that was set back begins a new minute as well.
    if (now >= began && now - began < windowMs) return;
    began = now;
    written = 0;
    ofOne = new Map();
    untold += counted;
    counted = 0;
  };

  return {
    admits: ({ result, remote = '' }) => {
      if (result !== 'refused') return true;
      turn();
      const own = ofOne.get(remote) ?? 0;
      if (own >= mostOfOne || written >= mostOfAll) {
        counted++;
        return false;
      }
      ofOne.set(remote, own + 1);
      written++;
      return true;
    },
    due: (end) => {
      turn();
      const number = untold + (end === undefined ? 0 : counted);
      if (number === 0) return undefined;
      untold = 0;
      if (end !== undefined) counted = 0;
      return { act: 'audit-log', result: 'refused', reason: `${number} more requests were refused, too many to write each of them down` };
    },
  };
}
