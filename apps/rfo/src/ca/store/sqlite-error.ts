/** What SQLite says is wrong, as an error of ours. */
import { fail, RfoError, toRfoError } from '@rfo/foundation';

/** Primary result codes, https://www.sqlite.org/rescode.html. */
export const codes = { busy: 5, corrupt: 11, constraint: 19, notADatabase: 26 } as const;

/** The primary result code of an error that SQLite threw; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/**
 * ca-database-damaged, ca-database-foreign or ca-store-failed for what SQLite threw, ca-store-failed for an error of the system; an error of ours stays.
 * @param file the database
 */
export function storeError(error: unknown, file: string): RfoError {
  if (error instanceof RfoError) return error;
  const code = sqliteCode(error);
  const problem = error instanceof Error ? error.message : String(error);
  if (code === codes.corrupt) return fail('ca-database-damaged', { file, problem }, error);
  if (code === codes.notADatabase) return fail('ca-database-foreign', { file, problem: 'it is no SQLite database' }, error);
  const system = error instanceof Error && 'syscall' in error;
  return code === undefined && !system ? toRfoError(error) : fail('ca-store-failed', { file, problem }, error);
}
