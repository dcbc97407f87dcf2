/** Makes a database ours that is empty, or that cfssl has used so far: in one transaction, so that it is left as it was when anything fails. */
import type { DatabaseSync } from 'node:sqlite';
import { type Log, RfoError } from '@rfo/foundation';
import { certificateInfo, nameValue } from '@rfo/pki';
import { inspectDatabase } from './inspect.ts';
import { encodeNames, formatTime, type Row, text } from './row.ts';
import { addColumn, createCertificateTable, createMigrations, createOurs, createResponses, lastMigration } from './schema.ts';

/**
 * Adds what a certdb lacks: tables, columns, the list of migrations, our own tables, and what rows of an old cfssl leave empty although
 * their certificates tell it. @throws ca-database-foreign (nothing was changed), or an error of SQLite
 */
export function takeOver(db: DatabaseSync, file: string, log: Log): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec('PRAGMA defer_foreign_keys = ON');
    const { tables, missingColumns, migration } = inspectDatabase(db, file);
    if (!tables.has('certificates')) db.exec(createCertificateTable);
    for (const name of missingColumns) db.exec(addColumn(name));
    if (!tables.has('ocsp_responses')) db.exec(createResponses);
    if (!tables.has('goose_db_version')) db.exec(createMigrations);
    for (let version = (migration ?? -1) + 1; version <= lastMigration; version++) {
      db.prepare('INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)').run(version);
    }
    if (!tables.has('rfo_state')) db.exec(createOurs);
    completeOldRows(db, file, log);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * cfssl 1.2.0 leaves the key of the CA empty, so that such a certificate can be neither revoked nor asked for, and no cfssl before migration 002
 * writes names. Rows whose certificate cannot be read, or names no key either, stay as they are.
 */
function completeOldRows(db: DatabaseSync, file: string, log: Log): void {
  const old = db.prepare('SELECT rowid AS id FROM certificates WHERE common_name IS NULL OR length(authority_key_identifier) = 0').all();
  const get = db.prepare('SELECT serial_number, authority_key_identifier, pem FROM certificates WHERE rowid = ?');
  let completed = 0;
  for (const { id } of old) {
    const row = get.get(id ?? null);
    if (row && completeRow(db, id, row, (problem, error) => log.warn(problem, { file, serial: text(row.serial_number), error })))
      completed++;
  }
  if (completed > 0) log.info('completed rows that an old cfssl wrote, from their certificates', { file, rows: completed });
}

function completeRow(db: DatabaseSync, id: Row[string] | undefined, row: Row, warn: (problem: string, error: unknown) => void): boolean {
  const known = readCertificate(text(row.pem), warn);
  const had = text(row.authority_key_identifier);
  const key = had === '' ? known?.authorityKeyId : had;
  if (!known || key === undefined) return false;
  try {
    db.prepare(
      `UPDATE certificates SET authority_key_identifier = ?, not_before = coalesce(not_before, ?), sans = coalesce(sans, ?), common_name = ?
       WHERE rowid = ?`,
    ).run(key, formatTime(known.notBefore), encodeNames(known.names), known.commonName, id ?? null);
  } catch (error) {
    warn('a row of the database cannot be completed, for the same certificate stands there once more', error);
    return false;
  }
  db.prepare('UPDATE ocsp_responses SET authority_key_identifier = ? WHERE serial_number = ? AND authority_key_identifier = ?').run(
    key,
    row.serial_number ?? null,
    row.authority_key_identifier ?? null,
  );
  return true;
}

type Known = { authorityKeyId: string | undefined; notBefore: number; names: readonly string[]; commonName: string };

function readCertificate(pem: string, warn: (problem: string, error: unknown) => void): Known | undefined {
  try {
    const { authorityKeyId, notBefore, altNames, subject } = certificateInfo(pem, 'the certificate of the row');
    const names = altNames.filter(({ type }) => type === 'dns').map(({ value }) => value);
    return { authorityKeyId: authorityKeyId?.toString('hex'), notBefore, names, commonName: nameValue(subject, 'CN') ?? '' };
  } catch (error) {
    if (!(error instanceof RfoError)) throw error;
    warn('a row of the database holds no certificate that can be read', error);
    return undefined;
  }
}
