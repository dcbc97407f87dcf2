/** The findings as a table for people. */
import type { Finding } from './finding.ts';

const words = { ok: 'OK', warn: 'WARN', fail: 'FAIL' } as const satisfies Record<Finding['level'], string>;

/** One line a finding, its cure on a line below; a last line that counts. */
export function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ topic }) => topic.length));
  const rows = findings.flatMap(({ level, topic, found, cure }) => [
    `${words[level].padEnd(5)} ${topic.padEnd(width)}  ${found}`,
    ...(cure === undefined ? [] : [`${' '.repeat(width + 6)}  → ${cure}`]),
  ]);
  return `${[...rows, '', summary(findings)].join('\n')}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Finding['level']): number => findings.filter((finding) => finding.level === level).length;
  if (count('fail') > 0) return `A node cannot run here: ${count('fail')} to repair, ${count('warn')} to consider.`;
  return count('warn') > 0 ? `A node can run here; ${count('warn')} to consider.` : 'A node can run here.';
}
