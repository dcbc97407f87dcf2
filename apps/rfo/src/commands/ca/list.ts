// `rfo ca list`: the certificates that were issued.
import { systemClock } from '@rfo/foundation';
import { loadCaOptions } from '@rfo/schema';
import type { CertificateRecord } from '../../ca/store/types.ts';
import type { Run } from '../../cli/context.ts';
import { renderTable, showTime } from '../../cli/render-table.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { openCa } from './open.ts';
import { reasonName } from './reasons.ts';
import { decimalSerial } from './serials.ts';

/** Without expired ones, unless `--all` or one is asked for by its serial number. */
export const listCertificates: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caListConfig, context);
  const { store } = await openCa('ca list', config, context);
  const now = systemClock.now();
  const { node, status, serial, expiring, all, limit, output } = config;
  const found = store.list({
    ...(node !== undefined && { node }),
    ...(expiring !== undefined ? { status: 'good' } : status !== undefined && { status }),
    ...(serial !== undefined && { serial: decimalSerial(serial) }),
    ...(!all && serial === undefined && { unexpiredAt: now }),
    // Which of them end soon is looked at below.
    ...(expiring === undefined && { limit }),
  });
  const records = expiring === undefined ? found : found.filter(({ expiry }) => expiry <= now + expiring).slice(0, limit);
  context.stdout.write(
    output === 'json'
      ? renderJson(records, now)
      : renderTable(
          header,
          records.map((record) => row(record, now)),
        ),
  );
  return 0;
};

const header = ['SERIAL', 'NAME', 'STATUS', 'ISSUED', 'EXPIRES', 'NAMES'];

function statusOf({ status, expiry }: CertificateRecord, now: number): string {
  return status === 'good' && expiry <= now ? 'expired' : status;
}

function row(record: CertificateRecord, now: number): readonly string[] {
  const { serial, commonName, issuedAt, expiry, sans } = record;
  return [serial, commonName, statusOf(record, now), issuedAt === undefined ? '' : showTime(issuedAt), showTime(expiry), sans.join(',')];
}

function renderJson(records: readonly CertificateRecord[], now: number): string {
  const shown = records.map((record) => ({
    serial: record.serial,
    authorityKeyId: record.authorityKeyId,
    commonName: record.commonName,
    names: record.sans,
    status: statusOf(record, now),
    reason: record.status === 'revoked' ? reasonName(record.reason) : null,
    revokedAt: record.revokedAt === undefined ? null : showTime(record.revokedAt),
    issuedAt: record.issuedAt === undefined ? null : showTime(record.issuedAt),
    expires: showTime(record.expiry),
    pem: record.pem,
  }));
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}
