/** Sees to it that one server alone lives on a database: two would each answer from caches that the other makes wrong. */
import { DatabaseSync } from 'node:sqlite';
import { fail } from '@rfo/foundation';
import { makeFile } from './open-database.ts';
import { codes, sqliteCode, storeError } from './sqlite-error.ts';

/**
 * Takes the lock `<file>.lock`, an empty SQLite database under an exclusive transaction: the kernel gives it up with the process, however that ends,
 * and Node has no other lock on files. Gives how to release it. @throws ca-database-in-use, ca-store-failed
 */
export function lockDatabase(file: string): () => void {
  const path = `${file}.lock`;
  let lock: DatabaseSync | undefined;
  try {
    makeFile(path);
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    const held = lock;
    return () => held.close();
  } catch (error) {
    lock?.close();
    if (sqliteCode(error) === codes.busy) throw fail('ca-database-in-use', { file }, error);
    throw storeError(error, path);
  }
}
