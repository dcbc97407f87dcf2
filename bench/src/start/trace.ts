/** Shows one measured start moment by moment, for somebody who looks for lost time or memory. */
import { renderTextTable } from '../text-table.ts';
import type { Traced } from './measure.ts';

export function renderTrace(measured: Traced | undefined): string {
  if (measured === undefined) return '';
  const { side, round, idle, trace } = measured;
  const parts = [`\n== ${side}, round ${round}: first start`, renderSteps(trace.cold)];
  if (trace.ownTable.length > 0) parts.push('-- in its own words:', ...trace.ownTable);
  if (trace.restart.length > 0) parts.push(`== ${side}, round ${round}: restart`, renderSteps(trace.restart));
  if (idle !== undefined) {
    const rows = idle.processes.map(({ name, pss, anonymous, cpu }) => [
      name,
      (pss / 1e6).toFixed(1),
      (anonymous / 1e6).toFixed(1),
      cpu.toFixed(2),
    ]);
    const columns = [
      { heading: 'process', align: 'left' },
      { heading: 'MB', align: 'right' },
      { heading: 'anonymous', align: 'right' },
      { heading: 'CPU s', align: 'right' },
    ] as const;
    parts.push(`== ${side}, round ${round}: idle`, renderTextTable(columns, rows));
  }
  return parts.join('\n');
}

function renderSteps(steps: Traced['trace']['cold']): string {
  return steps.map(({ at, label }) => `${at.toFixed(2).padStart(7)}  ${label}`).join('\n');
}
