/** Writes the entries of this replica: at most once a second, into the segment that is open, until that is large or old enough. */
import { randomBytes } from 'node:crypto';
import { Backoff, type Clock, type Life, type Log } from '@rfo/foundation';
import { renderLine } from './line.ts';
import { hashSegment, type Segment } from './segment.ts';
import type { SegmentStore } from './segment-store.ts';
import type { AuditRecord, AuditState } from './types.ts';

export type Writer = {
  readonly record: (record: AuditRecord) => void;
  readonly hasRoom: () => boolean;
  readonly state: () => AuditState;
  /** Lines that are not written yet, the oldest first. */
  readonly pending: () => readonly string[];
  /** Writes all of them now. Throws what the API says. */
  readonly flush: () => Promise<void>;
};

/** Milliseconds from one write to the next. */
const writeEvery = 1000;
/** Milliseconds within which the last entries are to be written when the life ends. */
const farewell = 5000;
/** Bytes of entries that wait: from the first on nothing new is begun that needs an entry, beyond the second entries are lost, and counted. */
const full = 12 * 1024 * 1024;
const overfull = 16 * 1024 * 1024;
/** A segment is closed when its entries are this large (bytes, unpacked), or this old (ms). */
const mostLines = 512 * 1024;
const oldest = 3_600_000;

type Line = { readonly text: string; readonly time: string };
type Head = { readonly sequence: number; readonly hash: string };
type Open = { readonly segment: Segment; readonly resourceVersion: string; readonly hash: string; readonly since: number };

export function createWriter(options: {
  readonly store: SegmentStore;
  readonly replica: string;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
}): Writer {
  const { store, replica, clock, life, log } = options;
  const backoff = new Backoff({ initial: 2000, max: 30_000 });
  const ids = `${randomBytes(6).toString('base64url')}.`;
  let waiting: Line[] = [];
  let bytes = 0;
  let counted = 0;
  let written = 0;
  let lost = 0;
  /** Of these, not told in the log yet. */
  let untold = 0;
  let problem: string | undefined;
  /** The last segment that is closed; undefined until it was looked for. */
  let head: Head | undefined;
  let open: Open | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let lastWrite = Number.NEGATIVE_INFINITY;

  const put = (record: AuditRecord): void => {
    const time = new Date(clock.now()).toISOString();
    const text = renderLine({ id: ids + (counted++).toString(36), time, replica, ...record });
    waiting.push({ text, time });
    bytes += text.length;
  };
  const tellLost = (): void => {
    if (untold === 0 || bytes >= full) return;
    const message = `${untold} entries were lost: there was no room for them while nothing could be written`;
    untold = 0;
    put({ verb: 'audit', result: 'failed', message });
  };

  /** Where the chain of this replica ends. */
  const findHead = async (): Promise<Head> => {
    const refs = await store.list({ replica });
    const latest = refs.filter((ref) => ref.replica === replica).sort((one, other) => other.sequence - one.sequence)[0];
    if (latest === undefined) return { sequence: 0, hash: '' };
    const found = await store.read(latest.name);
    if (found === undefined || 'problem' in found) {
      log.error('the last segment of the audit log cannot be read', { segment: latest.name, problem: found?.problem ?? 'it is gone' });
      return { sequence: latest.sequence, hash: '0'.repeat(64) };
    }
    return { sequence: latest.sequence, hash: found.hash };
  };

  const close = ({ segment, hash }: Open): void => {
    head = { sequence: segment.sequence, hash };
    open = undefined;
    // Whoever keeps this line elsewhere can prove a forged log.
    log.info('a segment of the audit log is complete', { replica, sequence: segment.sequence, last: segment.last, hash });
  };

  /** One write of as much as goes into a segment. */
  const writeOnce = async (): Promise<void> => {
    if (open !== undefined && clock.now() - open.since > oldest) close(open);
    head ??= await findHead();
    const before = open?.segment;
    const batch = takeBatch(waiting, mostLines - (before?.lines.length ?? 0));
    const [first] = batch;
    const last = batch.at(-1);
    if (first === undefined || last === undefined) return;
    const segment: Segment = {
      replica,
      sequence: before?.sequence ?? head.sequence + 1,
      first: before?.first ?? first.time,
      last: last.time,
      previous: before?.previous ?? head.hash,
      lines: (before?.lines ?? '') + batch.map(({ text }) => text).join(''),
    };
    const outcome = await store.write(segment, open);
    if (outcome === 'taken') {
      log.error('a segment of the audit log is not what this replica has written: it is left as it is, and the next one tells', {
        replica,
        sequence: segment.sequence,
      });
      // What stood there when we wrote it stays what the next one follows.
      if (open !== undefined) head = { sequence: open.segment.sequence, hash: open.hash };
      else head = undefined;
      open = undefined;
      return writeOnce();
    }
    open = { segment, resourceVersion: outcome.resourceVersion, hash: hashSegment(segment), since: open?.since ?? clock.now() };
    waiting = waiting.slice(batch.length);
    bytes -= batch.reduce((sum, { text }) => sum + text.length, 0);
    written += batch.length;
    if (segment.lines.length >= mostLines) close(open);
  };

  const attempt = async (): Promise<void> => {
    lastWrite = performance.now();
    try {
      await writeOnce();
      if (problem !== undefined) log.info('the audit log is written again', { pending: waiting.length, lost });
      problem = undefined;
      backoff.reset();
      tellLost();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (problem === undefined) log.error('the audit log cannot be written; entries wait in memory', { pending: waiting.length, error });
      problem = message;
      throw error;
    }
  };
  const write = (): Promise<void> => {
    writing ??= attempt().finally(() => {
      writing = undefined;
    });
    return writing;
  };

  const plan = (delay: number): void => {
    if (timer !== undefined || life.signal.aborted) return;
    timer = setTimeout(() => {
      timer = undefined;
      write().then(
        () => waiting.length > 0 && plan(writeEvery),
        () => plan(backoff.next()),
      );
    }, delay);
  };
  const flush = async (): Promise<void> => {
    while (waiting.length > 0) await write();
  };

  life.defer(async () => {
    clearTimeout(timer);
    const late = Promise.withResolvers<void>();
    const limit = setTimeout(() => late.reject(new Error(`not within ${farewell / 1000} s`)), farewell);
    await Promise.race([flush(), late.promise])
      .catch((error: unknown) => log.error('entries of the audit log could not be written before the end', { lost: waiting.length, error }))
      .finally(() => clearTimeout(limit));
  });

  return {
    record: (record) => {
      tellLost();
      if (bytes >= overfull) {
        if (untold === 0) log.error('the audit log loses entries: too many wait to be written', { pending: waiting.length, problem });
        lost++;
        untold++;
        return;
      }
      put(record);
      plan(Math.max(50, lastWrite + writeEvery - performance.now()));
    },
    hasRoom: () => bytes < full,
    state: () => ({ pending: waiting.length, written, lost, problem }),
    pending: () => waiting.map(({ text }) => text),
    flush,
  };
}

/** From the beginning, as many as fit in so many bytes, and at least one. */
function takeBatch(lines: readonly Line[], room: number): readonly Line[] {
  let size = 0;
  let count = 0;
  for (const { text } of lines) {
    if (count > 0 && size + text.length > room) break;
    size += text.length;
    count++;
  }
  return lines.slice(0, count);
}
