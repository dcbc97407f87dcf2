/** The rows of `rfo certificate check`: every certificate on the disk, and how long it lasts. Changes nothing. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, toRfoError } from '@rfo/foundation';
import { certificateInfos, formatName } from '@rfo/pki';
import type { Paths } from '../paths.ts';
import { type CertificateStatus, statusOf } from './report.ts';
import { type CertificateName, certificateNames, certificateTable } from './table.ts';
import { usagesOf } from './usages.ts';

export const checkHeader = ['FILENAME', 'SUBJECT', 'USAGES', 'EXPIRES', 'RESIDUAL TIME', 'STATUS'] as const;

export type CheckRow = {
  readonly filename: string;
  readonly subject: string;
  readonly usages: string;
  /** As `2027-11-21T10:00:00Z`. */
  readonly expires: string;
  /** As `364d` or `5h10m`; `0s` when it is over. */
  readonly residual: string;
  readonly status: CertificateStatus | 'MISSING' | 'UNREADABLE';
};

/** One row for each certificate of each file, in the order of the table. Throws what reading a folder throws, apart from a missing file. */
export async function checkCertificates(paths: Paths, at: { readonly now: number; readonly renewal: number }): Promise<CheckRow[]> {
  const rows = await Promise.all(certificateNames.map((name) => rowsOf(name, join(paths.server.tls, `${name}.crt`), at)));
  return rows.flat();
}

/** A duration as Kubernetes prints ages: two units while they matter, then one. */
export function residualTime(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit)) as [number, number, number];
  const years = Math.floor(days / 365);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return `${minutes}m${rest(seconds % 60, 's')}`;
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return `${hours}h${rest(minutes % 60, 'm')}`;
  if (days < 2) return `${hours}h`;
  if (days < 8) return `${days}d${rest(hours % 24, 'h')}`;
  if (years < 2) return `${days}d`;
  return years < 8 ? `${years}y${rest(days % 365, 'd')}` : `${years}y`;
}

async function rowsOf(name: CertificateName, file: string, at: { now: number; renewal: number }): Promise<CheckRow[]> {
  const filename = `${name}.crt`;
  const unknown = { filename, subject: '', usages: '', expires: '', residual: '' };
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [{ ...unknown, status: 'MISSING' }];
    throw toRfoError(error);
  }
  try {
    const certificates = certificateInfos(pem, file);
    if (certificates.length === 0) return [{ ...unknown, status: 'UNREADABLE' }];
    return certificates.map((certificate, index) => {
      const { subject, notAfter, notBefore } = certificate;
      const kind = index === 0 ? certificateTable[name].kind : 'authority';
      return {
        filename,
        subject: formatName(subject),
        usages: usagesOf(certificate),
        expires: new Date(notAfter).toISOString().replace('.000Z', 'Z'),
        residual: residualTime(notAfter - at.now),
        status: statusOf({ kind, notBefore, notAfter }, at),
      };
    });
  } catch (error) {
    if (toRfoError(error).code !== 'certificate-unreadable') throw error;
    return [{ ...unknown, status: 'UNREADABLE' }];
  }
}

function rest(number: number, unit: string): string {
  return number === 0 ? '' : `${number}${unit}`;
}
