/** Finds entries in the audit log, the newest first, reading no more of it than whoever asks takes. */
import type { Log } from '@rfo/foundation';
import { parseLine } from './line.ts';
import type { SegmentRef, SegmentStore } from './segment-store.ts';
import type { AuditEntry, AuditQuery } from './types.ts';

/**
 * @param parts.pending lines of this replica that are not in a segment yet
 * @throws what the API says
 */
export async function* searchAudit(
  query: AuditQuery,
  parts: { readonly store: SegmentStore; readonly pending: () => readonly string[]; readonly log: Log },
): AsyncGenerator<AuditEntry> {
  const { store, pending, log } = parts;
  const { limit = Number.POSITIVE_INFINITY, signal } = query;
  const matches = matcher(query);
  const seen = new Set<string>();
  /** Read and not told yet, the newest last. */
  const held: AuditEntry[] = [];
  let told = 0;
  const take = (lines: readonly string[]): void => {
    for (const line of lines) {
      const entry = parseLine(line);
      if (entry === undefined || !matches(entry)) continue;
      // What waited when we began may have been written since.
      if (seen.has(entry.id)) continue;
      held.push(entry);
    }
    held.sort((one, other) => compare(one.time, other.time) || compare(one.id, other.id));
  };
  const next = (after: string): AuditEntry | undefined => {
    const newest = held.at(-1);
    return newest !== undefined && newest.time > after && told < limit ? held.pop() : undefined;
  };

  // Before the segments: what is written meanwhile is then seen twice instead of never.
  take(pending());
  for (const { id } of held) seen.add(id);
  const refs = (await store.list({ signal })).filter((ref) => overlaps(ref, query)).sort((one, other) => compare(other.last, one.last));
  for (const ref of refs) {
    for (let entry = next(ref.last); entry !== undefined; entry = next(ref.last)) {
      told++;
      yield entry;
    }
    if (told >= limit) return;
    signal?.throwIfAborted();
    const found = await store.read(ref.name, signal);
    if (found === undefined) continue;
    if ('problem' in found) log.error('a segment of the audit log cannot be read', { segment: ref.name, problem: found.problem });
    else take(found.segment.lines.split('\n'));
  }
  for (let entry = next(''); entry !== undefined; entry = next('')) {
    told++;
    yield entry;
  }
}

function overlaps({ first, last }: SegmentRef, { from, to }: AuditQuery): boolean {
  // One that is being written goes on beyond what its metadata said a moment ago: only the beginning is certain.
  return (to === undefined || timeOf(first) <= timeOf(to)) && (from === undefined || timeOf(last) >= timeOf(from) - slack);
}

/** Milliseconds: what is added to a segment between its listing and its reading. */
const slack = 60_000;

function matcher({ user, cluster, verb, text, from, to }: AuditQuery): (entry: AuditEntry) => boolean {
  const wanted = text?.toLowerCase();
  const [since, until] = [
    from === undefined ? Number.NEGATIVE_INFINITY : timeOf(from),
    to === undefined ? Number.POSITIVE_INFINITY : timeOf(to),
  ];
  return (entry) => {
    if (user !== undefined && entry.user !== user && entry.username !== user) return false;
    if (cluster !== undefined && entry.cluster !== cluster) return false;
    if (verb !== undefined && entry.verb !== verb) return false;
    const time = timeOf(entry.time);
    if (time < since || time > until) return false;
    return wanted === undefined || says(entry, wanted);
  };
}

/** Whether one of the values has it; names of fields do not count. */
function says(value: unknown, wanted: string): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some((each) => says(each, wanted));
  return value !== undefined && String(value).toLowerCase().includes(wanted);
}

function timeOf(text: string): number {
  return Date.parse(text);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
