/** Opens the database of the CA: a new one, one of ours, or one that cfssl has written. */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fail, type Log, systemCode } from '@rfo/foundation';
import { inspectDatabase } from './inspect.ts';
import { storeError } from './sqlite-error.ts';
import { takeOver } from './take-over.ts';

/**
 * Gives a connection to the file in write-ahead mode; mode 0600, since it holds keys of tokens. Refuses a file that is no certdb before anything
 * in it is changed.
 * @param check reads the whole file through first: what serves for months begins with a sound one
 * @throws ca-database-foreign, ca-database-damaged, ca-store-failed
 */
export function openDatabase({ file, log, check }: { readonly file: string; readonly log: Log; readonly check: boolean }): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    makeFile(file);
    db = new DatabaseSync(file, { timeout: busyMs });
    inspectDatabase(db, file);
    if (check) checkSoundness(db, file);
    restrict(file, log);
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw fail('ca-store-failed', { file, problem: `it cannot be written ahead there (journal_mode is ${mode})` });
    db.exec('PRAGMA synchronous = FULL');
    takeOver(db, file, log);
    return db;
  } catch (error) {
    db?.close();
    throw storeError(error, file);
  }
}

/** What another program may hold the file for at most, while it writes. */
const busyMs = 5_000;

/** Makes the file where there is none: empty, which is a new database for SQLite, and for nobody else to read, which SQLite would not see to. */
export function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    // It is never opened by us when it is there: closing it again would release the locks that SQLite holds in this process.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function restrict(file: string, log: Log): void {
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  chmodSync(file, 0o600);
  log.warn('the database could be read by others and holds secrets from now on: took that right away', { file, mode: mode.toString(8) });
}

function checkSoundness(db: DatabaseSync, file: string): void {
  const problems = db
    .prepare('PRAGMA quick_check(1)')
    .all()
    .map(({ quick_check: found }) => String(found));
  if (problems.join() !== 'ok') throw fail('ca-database-damaged', { file, problem: problems.join('; ') });
}
