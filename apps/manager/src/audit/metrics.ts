/** What `/metrics` tells of the audit log. */
import type { Metric } from '../metrics.ts';
import type { AuditState } from './types.ts';

export function auditMetrics({ pending, written, lost, problem }: AuditState): readonly Metric[] {
  const one = (name: string, type: Metric['type'], help: string, value: number): Metric => ({ name, help, type, samples: [{ value }] });
  return [
    one('rfo_manager_audit_pending', 'gauge', 'Audit entries that wait to be written.', pending),
    one('rfo_manager_audit_written_total', 'counter', 'Audit entries written.', written),
    one('rfo_manager_audit_lost_total', 'counter', 'Audit entries lost, for nothing could be written for too long.', lost),
    one('rfo_manager_audit_failing', 'gauge', 'Whether the last attempt to write failed.', problem === undefined ? 0 : 1),
  ];
}
