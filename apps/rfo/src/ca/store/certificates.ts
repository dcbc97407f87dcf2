/** The certificates of the database. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { fail, type Log } from '@rfo/foundation';
import type { GroupCommit } from './group-commit.ts';
import { columns, decodeRow, encodeRow, formatPlainTime } from './row.ts';
import { codes, sqliteCode } from './sqlite-error.ts';
import type { CertificateFilter, CertificateKey, CertificateRecord, CertificateStore, Change, WithIt } from './types.ts';

/** @param db the connection that `commits` writes to */
export function createCertificates({
  db,
  commits,
  log,
}: {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;
  readonly log: Log;
}): CertificateStore {
  const listeners = new Set<(change: Change) => void>();
  const tell = (change: Change): void => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        // It is written all the same, and the others have to hear of it.
        log.error('what lives by the database failed to hear of a change', { error });
      }
    }
  };
  const insertRow = db.prepare(`INSERT INTO certificates (${columns}) VALUES (${Array(13).fill('?').join(', ')})`);
  const findRow = db.prepare(`SELECT ${columns} FROM certificates WHERE serial_number = ? AND authority_key_identifier = ?`);
  const revokeRow = db.prepare(
    `UPDATE certificates SET status = 'revoked', revoked_at = ?, reason = ? WHERE serial_number = ? AND authority_key_identifier = ?`,
  );
  const dropAnswer = db.prepare('DELETE FROM ocsp_responses WHERE serial_number = ? AND authority_key_identifier = ?');
  const revokedRows = db.prepare(
    `SELECT ${columns} FROM certificates WHERE authority_key_identifier = ? AND status = 'revoked' AND expiry >= ? ORDER BY rowid`,
  );
  const nextNumber = db.prepare(`UPDATE rfo_state SET value = value + 1 WHERE name = 'crl_number' RETURNING CAST(value AS TEXT) AS number`);
  const dataVersion = db.prepare('PRAGMA data_version');
  const version = (): unknown => dataVersion.get()?.data_version;
  let seen = version();

  const insert = (record: CertificateRecord, withIt?: WithIt): void => {
    try {
      insertRow.run(...encodeRow(record));
    } catch (error) {
      if (sqliteCode(error) !== codes.constraint) throw error;
      throw fail('ca-certificate-known', { serial: record.serial }, error);
    }
    withIt?.();
  };

  const revoke = ({ serial, authorityKeyId }: CertificateKey, { reason, at }: { reason: number; at: number }, withIt?: WithIt): void => {
    const { changes } = revokeRow.run(formatPlainTime(at), reason, serial, authorityKeyId);
    if (changes === 0) throw fail('ca-certificate-unknown', { serial, authority: authorityKeyId });
    // A responder of cfssl on the same file would go on saying that it is good, for days.
    dropAnswer.run(serial, authorityKeyId);
    withIt?.();
  };

  return {
    insert: (record, withIt) => {
      const { serial, authorityKeyId, status } = record;
      return commits.write(
        () => insert(record, withIt),
        () => tell({ serial, authorityKeyId, status }),
      );
    },
    revoke: (key, how, withIt) => {
      const { serial, authorityKeyId } = key;
      return commits.write(
        () => revoke(key, how, withIt),
        () => tell({ serial, authorityKeyId, status: 'revoked' }),
      );
    },
    find: ({ serial, authorityKeyId }) => {
      const row = findRow.get(serial, authorityKeyId);
      return row && decodeRow(row);
    },
    list: (filter) => {
      const { where, values } = renderFilter(filter);
      return db
        .prepare(`SELECT ${columns} FROM certificates ${where}`)
        .all(...values)
        .map(decodeRow);
    },
    revoked: (authorityKeyId, at) => revokedRows.all(authorityKeyId, formatPlainTime(at)).map(decodeRow),
    nextCrlNumber: () => commits.write(() => BigInt(String(nextNumber.get()?.number))),
    onChange: (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    look: () => {
      const now = version();
      if (now === seen) return;
      seen = now;
      tell('anything');
    },
  };
}

/** Expiries are compared as texts, as cfssl does it, which are all UTC and begin with the seconds. */
function renderFilter(filter: CertificateFilter): { where: string; values: SQLInputValue[] } {
  const terms: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (term: string, value: SQLInputValue | undefined): void => {
    if (value === undefined) return;
    terms.push(term);
    values.push(value);
  };
  add('status = ?', filter.status);
  add('common_name = ?', filter.node === undefined ? undefined : `system:node:${filter.node}`);
  add('common_name = ?', filter.commonName);
  add('serial_number = ?', filter.serial);
  add('expiry >= ?', filter.unexpiredAt === undefined ? undefined : formatPlainTime(filter.unexpiredAt));
  const where = terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`;
  if (filter.limit !== undefined) values.push(filter.limit);
  return { where: `${where} ORDER BY rowid DESC ${filter.limit === undefined ? '' : 'LIMIT ?'}`, values };
}
