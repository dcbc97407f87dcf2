// `rfo certificate check`: what the node's certificates are for and how long they last.
import { serverConfig } from '@rfo/schema';
import { checkCertificates, checkHeader } from '../certificates/check.ts';
import type { Run } from '../cli/context.ts';
import { loadFor } from '../cli/with-config.ts';
import { pathsOf } from '../paths.ts';

/** Exit code 1 when one has expired, is missing or cannot be read. */
export const checkCertificateFiles: Run = async (context) => {
  const { values: config } = await loadFor(serverConfig, context);
  const rows = await checkCertificates(pathsOf(config), { now: Date.now(), renewal: config['certificate-renewal-ratio'] });
  const cells = rows.map(({ filename, subject, usages, expires, residual, status }) => [
    filename,
    subject,
    usages,
    expires,
    residual,
    status,
  ]);
  context.stdout.write(renderColumns([[...checkHeader], ...cells]));
  return rows.every(({ status }) => status === 'OK' || status === 'WARNING') ? 0 : 1;
};

function renderColumns(lines: readonly (readonly string[])[]): string {
  const widths = checkHeader.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
