/** Tells what a database is before anything in it is changed: a certdb, an empty one, or somebody else's. */
import type { DatabaseSync } from 'node:sqlite';
import { fail, type RfoError } from '@rfo/foundation';
import { firstColumns, lastMigration, laterColumns, schemaVersion } from './schema.ts';

/** What is to be done to a certdb before it can be used. */
export type Inspection = {
  readonly tables: ReadonlySet<string>;
  /** Columns of migration 002 that its `certificates` lacks. */
  readonly missingColumns: readonly (keyof typeof laterColumns)[];
  /** The last migration that goose has done; undefined where it keeps no list, or an empty one. */
  readonly migration: number | undefined;
};

/** Only reads. @throws ca-database-foreign: no certdb, or one of a newer cfssl or RFO */
export function inspectDatabase(db: DatabaseSync, file: string): Inspection {
  const foreign = (problem: string): RfoError => fail('ca-database-foreign', { file, problem });
  const tables = new Set(db.prepare(`SELECT name FROM sqlite_master WHERE type IN ('table', 'view')`).all().map(nameOf));
  for (const table of tables) if (table.startsWith('sqlite_')) tables.delete(table);
  if (tables.size === 0) return { tables, missingColumns: later, migration: undefined };
  if (!tables.has('certificates')) throw foreign('it has tables, but none of certificates');

  const columns = db.prepare('PRAGMA table_info(certificates)').all();
  const found = new Set(columns.map(nameOf));
  const known = new Set<string>([...firstColumns, ...Object.keys(laterColumns)]);
  const lacking = firstColumns.filter((name) => !found.has(name));
  if (lacking.length > 0) throw foreign(`its table of certificates lacks ${lacking.join(', ')}`);
  const unknown = [...found].filter((name) => !known.has(name));
  if (unknown.length > 0) throw foreign(`its table of certificates has columns that are not known here: ${unknown.join(', ')}`);
  const primary = columns.filter(({ pk }) => Number(pk) > 0).map(nameOf);
  if (primary.sort().join() !== 'authority_key_identifier,serial_number')
    throw foreign('it does not keep serial numbers from being given twice');

  const migration = tables.has('goose_db_version') ? lastDone(db) : undefined;
  if (migration !== undefined && migration > lastMigration) throw foreign(`a newer cfssl has migrated it (${migration})`);
  const version = tables.has('rfo_state')
    ? Number(db.prepare(`SELECT value FROM rfo_state WHERE name = 'schema'`).get()?.value)
    : schemaVersion;
  if (version !== schemaVersion) throw foreign(`a newer version of RFO has written it (${version})`);
  return { tables, missingColumns: later.filter((name) => !found.has(name)), migration };
}

const later = Object.keys(laterColumns) as readonly (keyof typeof laterColumns)[];

function lastDone(db: DatabaseSync): number | undefined {
  const last = db.prepare('SELECT max(version_id) AS version FROM goose_db_version WHERE is_applied').get()?.version;
  return typeof last === 'number' ? last : undefined;
}

function nameOf(row: Record<string, unknown>): string {
  return String(row.name);
}
