/**
 * Writes to the database so that whatever comes in one turn of the event loop shares one transaction and one fsync, and the event loop goes on
 * during the fsync. Why it is done so, in figures: docs/decisions/0010-ca-store.md.
 */
import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fail } from '@rfo/foundation';
import { codes, sqliteCode, storeError } from './sqlite-error.ts';

export type GroupCommit = {
  /**
   * Runs `act` in the next transaction, in the order of the calls, and resolves when that is on the disk. An act that throws leaves nothing behind
   * and fails alone, with what it threw; when the transaction cannot be written, all of it fails.
   * @param durable called as soon as the act is on the disk, before anybody is told so
   * @throws ca-store-failed
   */
  readonly write: <T>(act: () => T, durable?: () => void) => Promise<T>;
  /** Waits for what is under way; nothing can be written any more. */
  readonly close: () => Promise<void>;
};

/** Takes part in each transaction: what it throws fails the whole of it. */
export type Companion = {
  /** The transaction has begun, nothing is in it yet. */
  readonly begun: () => void;
  /** It is about to be committed. */
  readonly committing: () => void;
  /** It was not committed, although `committing` was called. */
  readonly undone: () => void;
};

type Work = {
  readonly act: () => unknown;
  readonly durable: (() => void) | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
};

/** @param db in write-ahead mode; nobody else begins a transaction on this connection */
export function createGroupCommit({
  db,
  file,
  companion,
}: {
  readonly db: DatabaseSync;
  readonly file: string;
  readonly companion: Companion;
}): GroupCommit {
  // Each commit is synced by us and off this thread; SQLite itself syncs as it must around checkpoints, which is what NORMAL means in this mode.
  db.exec(`PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${busyMs}; PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  const journal = openJournal(db, file);
  const transaction = createTransaction(db, companion);
  let queue: Work[] = [];
  let running: Promise<void> | undefined;
  let closed = false;
  let broken: unknown;

  const drain = async (): Promise<void> => {
    await setImmediate();
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      await commit(batch);
      await setImmediate();
    }
    running = undefined;
  };

  const commit = async (batch: readonly Work[]): Promise<void> => {
    const told: (() => void)[] = [];
    try {
      if (broken !== undefined) throw broken;
      await begin(db);
      if (transaction(batch, told, file)) await journal.sync().catch(breakDown);
    } catch (error) {
      const failure = storeError(error, file);
      for (const { reject } of batch) reject(failure);
      return;
    }
    for (const tell of told) tell();
  };

  // After a failed fsync nobody can say what of it is on the disk, and a second fsync would not tell: https://lwn.net/Articles/752063/.
  const breakDown = (error: unknown): never => {
    broken = fail(
      'ca-store-failed',
      { file, problem: `an earlier write may not have reached the disk; start again when it is sound (${String(error)})` },
      error,
    );
    throw broken;
  };

  return {
    write: <T>(act: () => T, durable?: () => void) =>
      new Promise<T>((resolve, reject) => {
        if (closed) return reject(fail('ca-store-failed', { file, problem: 'it has been closed' }));
        queue.push({ act, durable, resolve: resolve as (value: unknown) => void, reject });
        running ??= drain();
      }),
    close: async () => {
      closed = true;
      await running;
      journal.close();
    },
  };
}

/**
 * Carrying the write-ahead log over into the database holds the event loop up for the disk's sake: at SQLite's own 1000 pages it is one certificate in 160
 * that waits for it, so with 16 MB of log less than one in a hundred.
 */
const checkpointPages = 4000;

/** How long one attempt to begin may hold up the event loop while another program writes, and for how long it is attempted. */
const busyMs = 20;
const patienceMs = 15_000;

async function begin(db: DatabaseSync): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      db.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (sqliteCode(error) !== codes.busy || performance.now() > until) throw error;
      // No event tells when another process has committed.
      await setTimeout(busyMs);
    }
  }
}

/** Runs a batch in the transaction that has begun and commits it; false: nothing of it succeeded, so that there was nothing to commit. */
function createTransaction(
  db: DatabaseSync,
  companion: Companion,
): (batch: readonly Work[], told: (() => void)[], file: string) => boolean {
  const savepoint = db.prepare('SAVEPOINT one');
  const release = db.prepare('RELEASE one');
  const undo = db.prepare('ROLLBACK TO one');
  const commit = db.prepare('COMMIT');

  const runOne = ({ act, durable, resolve, reject }: Work, alone: boolean, told: (() => void)[], file: string): boolean => {
    // Alone, it fails with the transaction.
    if (!alone) savepoint.run();
    try {
      const value = act();
      if (!alone) release.run();
      told.push(() => {
        durable?.();
        resolve(value);
      });
      return true;
    } catch (error) {
      // Some errors of SQLite end the whole transaction.
      if (!db.isTransaction) throw error;
      if (!alone) {
        undo.run();
        release.run();
      }
      told.push(() => reject(sqliteCode(error) === undefined ? error : storeError(error, file)));
      return false;
    }
  };

  return (batch, told, file) => {
    let companionBusy = false;
    try {
      companion.begun();
      const succeeded = batch.filter((work) => runOne(work, batch.length === 1, told, file)).length;
      if (succeeded === 0) {
        db.exec('ROLLBACK');
        return false;
      }
      companionBusy = true;
      companion.committing();
      commit.run();
      return true;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      if (companionBusy) companion.undone();
      throw error;
    }
  };
}

/** The write-ahead log as a file of its own; SQLite takes no locks on it, so that opening it a second time releases none. */
function openJournal(db: DatabaseSync, file: string): { sync: () => Promise<void>; close: () => void } {
  db.prepare('SELECT count(*) FROM sqlite_master').get();
  const journal = openSync(`${file}-wal`, 'r');
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
  const sync = promisify(fdatasync);
  return { sync: () => sync(journal), close: () => closeSync(journal) };
}
