/** Reads the audit log through and tells whether anything in it was changed, left out or put in. */
import { parseLine } from './line.ts';
import { retentionVerb } from './retain.ts';
import { hashSegment, segmentName } from './segment.ts';
import type { SegmentRef, SegmentStore } from './segment-store.ts';
import type { AuditEntry, AuditVerification } from './types.ts';

type Problem = AuditVerification['problems'][number];
type Chain = AuditVerification['chains'][number];

/** @throws what the API says, the signal's reason */
export async function verifyAudit(store: SegmentStore, options: { readonly signal?: AbortSignal } = {}): Promise<AuditVerification> {
  const { signal } = options;
  const byReplica = Map.groupBy(await store.list({ signal }), ({ replica }) => replica);
  const problems: Problem[] = [];
  const chains: Chain[] = [];
  const retained: AuditEntry[] = [];
  let segments = 0;
  let entries = 0;

  for (const [replica, refs] of byReplica) {
    const flag = (sequence: number, problem: string): void => void problems.push({ replica, sequence, problem });
    let before: { readonly sequence: number; readonly hash: string } | undefined;
    let first = 0;
    for (const ref of refs.sort((one, other) => one.sequence - other.sequence)) {
      signal?.throwIfAborted();
      const found = await store.read(ref.name, signal);
      // Retention may run meanwhile; what is missing shows in the next one.
      if (found === undefined) continue;
      segments++;
      if ('problem' in found) {
        flag(ref.sequence, found.problem);
        before = undefined;
        continue;
      }
      const { segment, hash } = found;
      const { sequence } = segment;
      if (!isTitledRightly(ref, segment)) flag(ref.sequence, 'its name or annotations are those of another');
      // What the next one was chained to is what its writer knew, so either of the two shows a change.
      if (hashSegment(segment) !== hash) flag(sequence, 'its content is not what its hash says: it was changed');
      if (before === undefined) {
        first ||= sequence;
        if (sequence === 1 && segment.previous !== '') flag(sequence, 'it is the first, but follows another');
      } else if (sequence !== before.sequence + 1) flag(sequence, `it comes after ${before.sequence}: what was between is missing`);
      else if (segment.previous !== before.hash) flag(sequence, 'it does not follow from the one before: one of them was changed');
      for (const line of segment.lines.split('\n')) {
        if (line === '') continue;
        const entry = parseLine(line);
        if (entry === undefined) flag(sequence, 'it has a line that is no entry');
        else if (entry.verb === retentionVerb) retained.push(entry);
        entries++;
      }
      before = { sequence, hash };
    }
    if (before !== undefined) chains.push({ replica, first, last: before.sequence, hash: before.hash });
  }

  const horizon = newestHorizon(retained);
  for (const { replica, first } of chains) {
    const expected = horizon.get(replica) ?? 1;
    if (first > expected)
      problems.push({
        replica,
        sequence: first,
        problem: `the segments from ${expected} to ${first - 1} are missing, and retention did not delete them`,
      });
  }
  return { segments, entries, chains, problems };
}

function isTitledRightly(
  ref: SegmentRef,
  { replica, sequence, first, last }: { replica: string; sequence: number; first: string; last: string },
): boolean {
  const same = ref.replica === replica && ref.sequence === sequence && ref.first === first;
  // The end moves while it is being written.
  return same && ref.last <= last && ref.name === segmentName(replica, sequence);
}

/** The first segments that retention has left, as it told last. */
function newestHorizon(entries: readonly AuditEntry[]): ReadonlyMap<string, number> {
  const newest = entries.reduce<AuditEntry | undefined>(
    (best, entry) => (best === undefined || entry.time > best.time ? entry : best),
    undefined,
  );
  const pairs = (newest?.changes ?? []).flatMap(({ path, to }): [string, number][] => (typeof to === 'number' ? [[path, to]] : []));
  return new Map(pairs);
}
