/**
 * The audit log, written with the transactions of the database: a line is part of the transaction of what it tells of, and is in the file before that
 * is committed. The database keeps lines until the file is known to be on the disk, so that one fsync does for both, and gives each line its place, so
 * that programs beside each other write one chain.
 */
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, fail, type Log, type RfoError } from '@rfo/foundation';
import type { Companion } from '../store/group-commit.ts';
import type { WithIt } from '../store/types.ts';
import { hashLine, noHash, readLine, renderLine } from './line.ts';
import { openLogFile } from './log-file.ts';
import type { AuditEntry } from './types.ts';

export type AuditLog = {
  /** To be called within a transaction: throws where there is none. */
  readonly within: (entry: AuditEntry) => WithIt;
  readonly companion: Companion;
  /** Brings what was written to the disk and forgets what was kept for that. Nothing is written any more afterwards. */
  readonly close: () => Promise<void>;
};

/** A kept line: from `start` up to `next`, newline included, in the file. */
type Kept = { readonly seq: number; readonly start: number; readonly next: number; readonly line: string };

/** A line is shorter than this. */
const longestEnd = 1 << 20;

/** How many lines are kept before the file is synced for their sake. */
const mostKept = 512;

/**
 * Opens the log at the end that the database knows, and repairs what a lost power supply has left of it.
 * @throws ca-audit-broken: there are lines that nobody of us has written; an error of the system or of SQLite
 */
export function openAuditLog({
  db,
  path,
  clock,
  log,
}: {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}): AuditLog {
  const file = openLogFile(path);
  const lastKept = db.prepare('SELECT seq, start, next, line FROM rfo_audit ORDER BY seq DESC LIMIT 1');
  const keptAfter = db.prepare('SELECT seq, start, next, line FROM rfo_audit WHERE seq > ? ORDER BY seq');
  const keep = db.prepare('INSERT INTO rfo_audit (seq, start, next, line) VALUES (?, ?, ?, ?)');
  const forget = db.prepare('DELETE FROM rfo_audit WHERE seq < ?');
  const shift = db.prepare('UPDATE rfo_audit SET start = start + ?1, next = next + ?1');
  const head = (): Kept | undefined => lastKept.get() as Kept | undefined;
  const after = (seq: number): Kept[] => keptAfter.all(seq) as Kept[];

  /** The head and the size of the file when the present transaction began. */
  let begun: { seq: number; size: number } = { seq: 0, size: 0 };
  let unsynced = 0;
  let syncing = false;
  /** Lines with smaller numbers are on the disk. */
  let onDisk = 0;

  const append = (entry: AuditEntry): void => {
    if (!db.isTransaction) throw fail('internal', { what: 'an entry of the audit log outside of a transaction' });
    const last = head();
    const seq = (last?.seq ?? 0) + 1;
    const start = last?.next ?? 0;
    const line = renderLine(entry, { seq, prev: last ? hashLine(last.line) : noHash, time: clock.now() });
    keep.run(seq, start, start + Buffer.byteLength(line) + 1, line);
  };

  const note = (reason: string): void => {
    log.warn(reason, { file: path });
    append({ act: 'audit-log', result: 'done', reason });
  };

  const writeLines = (lines: readonly Kept[]): void => {
    const [first] = lines;
    if (first) file.write(Buffer.from(`${lines.map(({ line }) => line).join('\n')}\n`), first.start);
  };

  /** The file is longer than the database knows: lines of a transaction that did not come to its end, or of a database that was restored. */
  const adopt = (last: Kept, size: number): void => {
    const { lines, end } = completeLines(file.read(last.next, size - last.next));
    if (last.next + end < size) file.cut(last.next + end);
    let before = last;
    for (const line of lines) {
      const place = readLine(line);
      if (place?.seq !== before.seq + 1 || place.prev !== hashLine(before.line)) throw broken('does not follow from those before');
      before = { seq: place.seq, start: before.next, next: before.next + Buffer.byteLength(line) + 1, line };
      keep.run(before.seq, before.start, before.next, before.line);
    }
    if (before === last) log.warn('cut half a line off the end of the audit log', { file: path });
    else
      note(
        `${lines.length} lines up to number ${before.seq} tell of what is not in the database: it was broken off, or the database was restored`,
      );
  };

  /** A new database beside a log that is there already: the chain goes on. */
  const continueOld = (size: number): void => {
    const from = Math.max(0, size - longestEnd);
    const { lines, end } = completeLines(file.read(from, size - from));
    const line = lines.at(-1);
    const place = line === undefined ? undefined : readLine(line);
    if (line === undefined || !place) throw broken('is no line of an audit log');
    if (from + end < size) file.cut(from + end);
    keep.run(place.seq, from + end - Buffer.byteLength(line) - 1, from + end, line);
    note(`a new database goes on with this log after line ${place.seq}`);
  };

  const broken = (problem: string): RfoError => fail('ca-audit-broken', { file: path, line: 'after the last known one', problem });

  /** The file is shorter than the database knows: what was kept for that is written again, at its end where even more is missing. */
  const refill = (size: number): void => {
    const [first] = after(0);
    if (first && size < first.start) {
      shift.run(size - first.start);
      note(`the audit log was moved away or shortened; it goes on here with line ${first.seq}`);
    }
    writeLines(after(0));
  };

  const companion: Companion = {
    begun: () => {
      const last = head();
      const size = file.size();
      begun = { seq: last?.seq ?? 0, size };
      if (last === undefined && size > 0) continueOld(size);
      if (last && size > last.next) adopt(last, size);
      if (last && size < last.next) refill(size);
    },
    committing: () => {
      const lines = after(begun.seq);
      writeLines(lines);
      if (onDisk > 0) forget.run(onDisk);
      onDisk = 0;
      unsynced += lines.length;
      if (unsynced > mostKept && !syncing) void sync(begun.seq);
    },
    undone: () => {
      try {
        // Under the lock again, and only if nobody else has written since: what stands behind the known end is ours then, and of nothing.
        db.exec('BEGIN IMMEDIATE');
        if ((head()?.seq ?? 0) === begun.seq && file.size() > begun.size) file.cut(begun.size);
      } catch (error) {
        // Left there, they are found by whoever writes next.
        log.warn('lines of what was not written stay in the audit log', { file: path, error });
      } finally {
        if (db.isTransaction) db.exec('ROLLBACK');
      }
    },
  };

  const sync = async (upTo: number): Promise<void> => {
    syncing = true;
    unsynced = 0;
    try {
      await file.sync();
      onDisk = upTo;
    } catch (error) {
      // The lines stay in the database, which is on the disk, and are written again when it is opened.
      log.error('the audit log does not reach the disk', { file: path, error });
    } finally {
      syncing = false;
    }
  };

  const transaction = (act: () => void): void => {
    db.exec('BEGIN IMMEDIATE');
    try {
      act();
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };

  transaction(() => {
    companion.begun();
    // Pages that a lost power supply has swallowed leave holes that the size does not tell of.
    writeLines(after(0));
  });

  return {
    within: (entry) => () => append(entry),
    companion,
    close: async () => {
      try {
        const last = head();
        await file.sync();
        if (last) transaction(() => forget.run(last.seq));
      } catch (error) {
        // Nothing is lost by it: what is kept is on the disk, in the database, and is written again when that is opened.
        log.warn('the audit log was not brought to its end', { file: path, error });
      } finally {
        await file.close();
      }
    },
  };
}

/** The lines of a text that end with a newline, up to the first that has bytes that never were written, and how many bytes they are. */
function completeLines(bytes: Buffer): { lines: string[]; end: number } {
  const hole = bytes.indexOf(0);
  const end = bytes.subarray(0, hole < 0 ? bytes.length : hole).lastIndexOf(10) + 1;
  const text = bytes.subarray(0, end).toString('utf8');
  return { lines: text === '' ? [] : text.slice(0, -1).split('\n'), end };
}
