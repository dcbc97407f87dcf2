/** A record as cfssl writes it into a row, and a row, by whichever version of cfssl, as a record. */

import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { certificateInfo } from '@rfo/pki';
import { firstColumns, laterColumns } from './schema.ts';
import type { CertificateRecord } from './types.ts';

export type Row = Record<string, SQLOutputValue>;

/** Of every certdb that was taken over, the later ones at the end. */
export const columns = [...firstColumns, ...Object.keys(laterColumns)].join(', ');

/**
 * The values of a row in the order of `columns`. As the program itself does it: texts are text, the two JSON values are bytes (the type it keeps
 * them in gives the driver bytes), no names is `null`, and a certificate that was never revoked was so in year 1.
 */
export function encodeRow(record: CertificateRecord): SQLInputValue[] {
  return [
    record.serial,
    record.authorityKeyId,
    record.caLabel,
    record.status,
    record.reason,
    formatTime(record.expiry),
    record.revokedAt === undefined ? zeroTime : formatTime(record.revokedAt),
    record.pem,
    record.issuedAt === undefined ? null : formatTime(record.issuedAt),
    record.notBefore === undefined ? null : formatTime(record.notBefore),
    Buffer.from(JSON.stringify(record.metadata ?? null)),
    encodeNames(record.sans),
    record.commonName,
  ];
}

export function encodeNames(names: readonly string[]): Buffer {
  return Buffer.from(names.length === 0 ? 'null' : JSON.stringify(names));
}

/** Reads a row with all columns. What a row lacks that must be known, its certificate tells. @throws certificate-unreadable where that cannot be read either */
export function decodeRow(row: Row): CertificateRecord {
  const pem = text(row.pem);
  const revoked = text(row.status) === 'revoked';
  return {
    serial: text(row.serial_number),
    authorityKeyId: text(row.authority_key_identifier),
    caLabel: text(row.ca_label),
    status: revoked ? 'revoked' : 'good',
    reason: Number(row.reason ?? 0),
    expiry: parseTime(row.expiry) ?? certificateInfo(pem).notAfter,
    revokedAt: revoked ? parseTime(row.revoked_at) : undefined,
    issuedAt: parseTime(row.issued_at),
    notBefore: parseTime(row.not_before),
    metadata: json(row.metadata),
    sans: names(json(row.sans)),
    commonName: text(row.common_name),
    pem,
  };
}

/** `2027-11-20 07:21:00.5+00:00`: as Go's driver writes a time; a fraction only where there is one. */
export function formatTime(ms: number): string {
  const [date, time] = new Date(ms).toISOString().split('T');
  return `${date} ${time?.replace(/\.?0*Z$/, '')}+00:00`;
}

/** `2026-11-20 07:21:00`: as CURRENT_TIMESTAMP of SQLite writes it, which cfssl revokes with and compares expiries to. */
export function formatPlainTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** Milliseconds since 1970 of any form that a cfssl has written; undefined for none, for year 1 and for what is no time. */
function parseTime(value: SQLOutputValue | undefined): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) * 1000;
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|[+-]\d\d:\d\d)?$/.exec(text(value));
  if (!match || match[1] === '0001-01-01') return undefined;
  const ms = Date.parse(`${match[1]}T${match[2]}${(match[3] ?? '').slice(0, 4)}${match[4] ?? 'Z'}`);
  return Number.isNaN(ms) ? undefined : ms;
}

const zeroTime = '0001-01-01 00:00:00+00:00';

/** A column that is declared as blob holds whatever was put in: text by cfssl, bytes by others. */
export function text(value: SQLOutputValue | undefined): string {
  if (value === null || value === undefined) return '';
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
}

function json(value: SQLOutputValue | undefined): unknown {
  const content = text(value);
  if (content === '') return null;
  try {
    return JSON.parse(content) as unknown;
  } catch {
    // Not for us to interpret: nobody but cfssl's own users writes there.
    return content;
  }
}

function names(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}
