/** Deletes what the audit log need not keep any longer, and tells so in the log: a beginning that is missing without a word was taken away by somebody. */
import type { Clock, Life, Log } from '@rfo/foundation';
import { sleep } from '@rfo/foundation';
import type { SegmentRef, SegmentStore } from './segment-store.ts';
import type { AuditEntry, AuditRecord } from './types.ts';

/** Its entries hold, by replica, the first segment that is left. */
export const retentionVerb = 'audit-retention';

/** Milliseconds. */
const lookEvery = 6 * 3_600_000;
const tryAgainAfter = 60_000;
/** More than these are not kept, however young: each is up to some hundred kilobytes of the hosting cluster's etcd. */
const mostSegments = 2000;

export type RetentionParts = {
  readonly store: SegmentStore;
  /** Milliseconds that an entry is kept. */
  readonly keepFor: () => number;
  /** The newest entry of retention, where there is one. */
  readonly lastTold: () => Promise<AuditEntry | undefined>;
  readonly record: (record: AuditRecord) => void;
  readonly clock: Clock;
  readonly log: Log;
};

/** Looks at once, then every six hours, until the life ends. */
export async function retainAudit(life: Life, parts: RetentionParts): Promise<void> {
  while (!life.signal.aborted) {
    const done = await retainOnce(parts).then(
      () => true,
      (error: unknown) => {
        if (!life.signal.aborted) parts.log.warn('old segments of the audit log could not be deleted', { error });
        return false;
      },
    );
    await sleep(done ? lookEvery : tryAgainAfter, life.signal).catch(() => undefined);
  }
}

/** @throws what the API says */
export async function retainOnce({ store, keepFor, lastTold, record, clock, log }: RetentionParts): Promise<void> {
  const refs = await store.list({});
  const told = await lastTold();
  const known = new Map((told?.changes ?? []).map(({ path, to }) => [path, Number(to)]));
  const due = chooseDue(refs, { before: clock.now() - keepFor() });
  if (due.early > 0)
    log.warn('the audit log is too large: segments are deleted before their time', { segments: due.early, limit: mostSegments });
  for (const ref of due.refs) await store.delete(ref);

  const left = new Set(refs).difference(new Set(due.refs));
  const horizon = new Map<string, number>();
  for (const [replica, all] of Map.groupBy(refs, (ref) => ref.replica)) {
    const expected = known.get(replica) ?? 1;
    const found = Math.min(...all.map(({ sequence }) => sequence));
    if (found > expected) log.error('segments of the audit log are missing', { replica, from: expected, to: found - 1 });
    const kept = all.filter((ref) => left.has(ref)).map(({ sequence }) => sequence);
    if (kept.length === 0) continue;
    // What is missing stays missing: only what was deleted here is accounted for.
    const first = found > expected ? expected : Math.min(...kept);
    if (first > 1) horizon.set(replica, first);
  }
  const old = told === undefined || Date.parse(told.time) < clock.now() - keepFor() / 2;
  if (due.refs.length === 0 && !(old && horizon.size > 0)) return;
  record({
    verb: retentionVerb,
    result: 'done',
    message: `${due.refs.length} segments were deleted${due.early > 0 ? `, ${due.early} of them before their time` : ''}`,
    changes: [...horizon].map(([path, to]) => ({ path, from: known.get(path) ?? 1, to })),
  });
}

/** Those to delete, the oldest first. @param before milliseconds since 1970 */
export function chooseDue(
  refs: readonly SegmentRef[],
  { before, most = mostSegments }: { readonly before: number; readonly most?: number },
): { readonly refs: readonly SegmentRef[]; readonly early: number } {
  const sorted = refs.toSorted((one, other) => Date.parse(one.last) - Date.parse(other.last) || one.sequence - other.sequence);
  const expired = sorted.filter(({ last }) => Date.parse(last) < before).length;
  const number = Math.max(expired, sorted.length - most);
  return { refs: sorted.slice(0, number), early: number - expired };
}
