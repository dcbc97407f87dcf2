/** `npm run bench -- start`: how fast and how small a node starts and stands, against the same parts started by hand. */
import { copyFile, cp, mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildComponents, ensureComponents, ensureTestImages, openReport } from '@rfo/components';
import { createLab, repository } from '@rfo/e2e';
import { Life } from '@rfo/foundation';
import { bundleNodeProgram } from '../../../scripts/bundle.ts';
import { describeMachine } from '../machine.ts';
import { judge, type Measurement, renderRows, type Side } from './figures.ts';
import { measure, type Traced } from './measure.ts';
import { parseStartOptions, type StartOptions, usage } from './options.ts';
import { type ReadyFiles, takeReadyFiles } from './ready-files.ts';
import type { Parts } from './sides.ts';
import { renderTrace } from './trace.ts';

/** @returns the exit code: 0 when everything could be measured, whatever came out */
export async function benchStart(args: readonly string[], signal: AbortSignal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const options = parseStartOptions(args);
  const parts = await prepareParts(options, signal);
  const machine = describeMachine();
  const measurements = await measureRounds(options, parts, signal);
  const counted = measurements.filter(({ round }) => round > 0);
  const rows = judge(counted, options.phases);
  if (options.trace) for (const side of options.sides) console.log(renderTrace(counted.findLast((each) => each.side === side)));
  console.log(`\n${renderRows(rows)}\n`);
  const date = new Date().toISOString();
  const file = join(repository, '.cache/bench', `start-${date.replaceAll(':', '-')}.json`);
  await mkdir(join(repository, '.cache/bench'), { recursive: true });
  await writeFile(file, `${JSON.stringify({ benchmark: 'start', date, machine, options, rows, measurements }, undefined, 1)}\n`);
  console.log(
    `${machine.cores} cores, ${machine.cpu}, kernel ${machine.kernel}, load at the start ${machine.load.toFixed(2)}; everything: ${file}`,
  );
  return 0;
}

/**
 * Builds what is stale, and copies what is run: memory shared with other processes of this machine would not be counted. The separate
 * binaries are large and of no other use: they are built when they are compared with.
 */
async function prepareParts({ sides }: StartOptions, signal: AbortSignal): Promise<Parts> {
  using open = openReport(process.stdout);
  const { report } = open;
  const built = await ensureComponents({ report, signal });
  const names = ['kubernetes-separate'];
  const separate = sides.includes('separate') ? (await buildComponents({ names, report, signal })).get('kubernetes-separate') : undefined;
  const bundle = join(repository, '.cache/bench/bundle');
  await rm(bundle, { recursive: true, force: true });
  await cp(await realpath(built), bundle, { recursive: true, verbatimSymlinks: true });
  const program = await bundleNodeProgram(repository, join(bundle, 'lib'));
  const ownNode = join(bundle, 'lib/node');
  await copyFile(process.execPath, ownNode);
  return { program, node: ownNode, bundle, testImages: await ensureTestImages(), separate };
}

/** Round 0 is the warm-up; the first side of it is always `rfo`, which makes what the others need. */
async function measureRounds(options: StartOptions, parts: Parts, signal: AbortSignal): Promise<readonly Traced[]> {
  await using life = new Life();
  const interrupt = (): void => void life.end(signal.reason);
  signal.addEventListener('abort', interrupt, { once: true });
  signal.throwIfAborted();
  const lab = await createLab({ name: 'bench', life });
  const scope = life.child();
  const done: Traced[] = [];
  const logs = { folder: join(repository, '.cache/bench/logs'), always: options.trace };
  let ready: ReadyFiles | undefined;
  for (let round = 0; round <= options.pairs; round++) {
    const sides: readonly Side[] = round === 0 ? ['rfo', ...options.sides.filter((side) => side !== 'rfo')] : options.sides;
    const phases = options.phases.filter((phase) => phase !== 'idle' || (round > 0 && round <= options.idleRounds));
    for (const side of sides) {
      const whileUp = async (host: Parameters<typeof takeReadyFiles>[0]): Promise<void> => {
        ready = await takeReadyFiles(host, join(lab.dir, 'ready'));
      };
      const result = await measure({ lab, life: scope, parts, side, round, phases, ready, logs, ...(ready === undefined && { whileUp }) });
      console.log(`${round === 0 ? 'warm-up' : `round ${round}/${options.pairs}`} ${side.padEnd(8)} ${describe(result)}`);
      done.push(result);
    }
  }
  return done;
}

function describe({ cold, restart, idle }: Measurement): string {
  const say = (name: string, value: number | undefined, unit = 's'): string =>
    value === undefined ? '' : `${name} ${value.toFixed(unit === 's' ? 2 : 0)} ${unit}`;
  return [
    say('readyz', cold?.readyz),
    say('Node Ready', cold?.nodeReady),
    say('Deployment', cold?.deployment),
    say('DNS', cold?.dns),
    say('restart: readyz', restart?.readyz),
    say('first pod', restart?.pod),
    say('idle:', idle && idle.processes.reduce((sum, { pss }) => sum + pss, 0) / 1e6, 'MB'),
    say('CPU', idle?.cpu),
  ]
    .filter((part) => part !== '')
    .join(', ');
}
