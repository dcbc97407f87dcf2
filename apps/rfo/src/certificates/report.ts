/** What is told of certificates: their status, the metric and the events of the node. */
import { authorityWarning } from './lifetime.ts';
import { type CertificateState, renewAt } from './plan.ts';

export type CertificateStatus = 'OK' | 'WARNING' | 'EXPIRED' | 'NOT YET VALID';
export type CertificateReport = CertificateState & {
  readonly status: CertificateStatus;
  /** Until its end; negative afterwards. */
  readonly expirySeconds: number;
};

export type ExpiryEvent = {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'CertificateExpirationOK' | 'CertificateExpirationWarning' | 'CACertificateExpirationWarning';
  readonly message: string;
};

type At = { readonly now: number; readonly renewal: number };

export function reportCertificates(states: readonly CertificateState[], at: At): CertificateReport[] {
  return states.map((state) => ({ ...state, status: statusOf(state, at), expirySeconds: Math.floor((state.notAfter - at.now) / 1000) }));
}

/** WARNING: a leaf that should have been renewed by now, a CA in its last year. */
export function statusOf(state: Pick<CertificateState, 'kind' | 'notBefore' | 'notAfter'>, at: At): CertificateStatus {
  if (at.now >= state.notAfter) return 'EXPIRED';
  if (at.now < state.notBefore) return 'NOT YET VALID';
  const warnAt = state.kind === 'authority' ? state.notAfter - authorityWarning : renewAt(state, at.renewal);
  return at.now >= warnAt ? 'WARNING' : 'OK';
}

/** `rfo_certificate_expiration_seconds`: of certificates with the same subject and usages the one that ends first. */
export function expirationMetric(reports: readonly CertificateReport[]) {
  const first = new Map<string, CertificateReport>();
  for (const report of reports) {
    const key = `${report.subject}\n${report.usages}`;
    const other = first.get(key);
    if (other === undefined || report.expirySeconds < other.expirySeconds) first.set(key, report);
  }
  const samples = [...first.values()].map(({ subject, usages, expirySeconds }) => ({ labels: { subject, usages }, value: expirySeconds }));
  const help = 'Seconds until the certificate ends; of several with the same labels the first to end.';
  return { name: 'rfo_certificate_expiration_seconds', help, type: 'gauge', samples } as const;
}

/** The node's events: one for its leaves, and one more when CAs are near their end. */
export function expiryEvents(reports: readonly CertificateReport[]): ExpiryEvent[] {
  const bad = reports.filter(({ status }) => status !== 'OK');
  const leaves = bad.filter(({ kind }) => kind === 'leaf');
  const authorities = bad.filter(({ kind }) => kind === 'authority');
  const events: ExpiryEvent[] = [
    leaves.length === 0
      ? { type: 'Normal', reason: 'CertificateExpirationOK', message: 'All leaf certificates of the node are valid and renew themselves' }
      : { type: 'Warning', reason: 'CertificateExpirationWarning', message: `Certificates could not be renewed: ${list(leaves)}` },
  ];
  if (authorities.length > 0)
    events.push({
      type: 'Warning',
      reason: 'CACertificateExpirationWarning',
      message: `Certificate authorities must be replaced: ${list(authorities)}`,
    });
  return events;
}

function list(reports: readonly CertificateReport[]): string {
  return reports
    .map(({ name, status, notAfter }) => `${name} (${status}, ends ${new Date(notAfter).toISOString().slice(0, 10)})`)
    .join(', ');
}
