/** `npm run components [-- name… ] [--arch arm64|riscv64] [--check]`: builds what is stale. */
import { parseArgs } from 'node:util';
import { toRfoError } from '@rfo/foundation';
import { checkPins, renderPins } from './check-pins.ts';
import { ensureProgramImages, ensureTestImages } from './compose-images.ts';
import { buildComponents, ensureComponents } from './ensure-components.ts';
import { ensureChart } from './pack-chart.ts';
import { openReport } from './report.ts';
import { components } from './table.ts';

const usage = `Usage: npm run components [-- [name…] [--arch amd64|arm64|riscv64] [--check]]

Builds the upstream parts that are stale, and the bundle .cache/dist of them.
  name…    only these, without the bundle: ${components.map(({ name }) => name).join(', ')};
           program-images for the images of the manager's programs, test-images for those of the end-to-end tests,
           manager-chart for the manager's Helm chart
  --arch   build for another architecture
  --check  compare the pins with versions.ts, and print licences and newer versions
`;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));

try {
  process.exitCode = await main(process.argv.slice(2), interrupted.signal);
} catch (error) {
  process.stderr.write(`rfo: ${interrupted.signal.aborted ? 'interrupted; run it again to go on' : toRfoError(error).message}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : toRfoError(error).exit;
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = { arch: { type: 'string' }, check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  if (values.help === true) return print(usage);
  if (values.check === true) return await check(signal);
  using open = openReport(process.stdout);
  const arch = values.arch === undefined ? {} : { arch: values.arch };
  const own = { 'test-images': ensureTestImages, 'program-images': () => ensureProgramImages({ signal }), 'manager-chart': ensureChart };
  const names = positionals.filter((name) => !(name in own));
  for (const [name, ensure] of Object.entries(own)) if (positionals.includes(name)) print(`${name}: ${await ensure()}\n`);
  if (positionals.length === 0) {
    await ensureComponents({ ...arch, report: open.report, signal });
    return 0;
  }
  if (names.length > 0) {
    const folders = await buildComponents({ ...arch, names, report: open.report, signal });
    print([...folders].map(([name, folder]) => `${name}: ${folder}\n`).join(''));
  }
  return 0;
}

async function check(signal: AbortSignal): Promise<number> {
  const rows = await checkPins(signal);
  print(`${renderPins(rows)}\n`);
  return rows.every((row) => row.matches) ? 0 : 1;
}

function print(text: string): 0 {
  process.stdout.write(text);
  return 0;
}
