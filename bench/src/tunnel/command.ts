/** `npm run bench -- tunnel`: how much a tunnel carries, and how fast it answers meanwhile. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '@rfo/e2e';
import { Life } from '@rfo/foundation';
import { describeMachine } from '../machine.ts';
import { startEnds } from './ends.ts';
import { renderRows, type Sample, summarizeSamples } from './figures.ts';
import { measureRound } from './measure.ts';
import { parseTunnelOptions, usage } from './options.ts';

/** @returns the exit code: 0 when everything could be measured, whatever came out */
export async function benchTunnel(args: readonly string[], signal: AbortSignal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const options = parseTunnelOptions(args);
  const machine = describeMachine();
  await using life = new Life();
  const ends = await startEnds(life);
  const samples: Sample[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    const measured = await measureRound(ends, options, signal);
    console.log(round === 0 ? 'warm-up is over' : `round ${round}/${options.rounds} is over`);
    if (round > 0) samples.push(...measured);
  }
  const rows = summarizeSamples(samples);
  console.log(`\n${renderRows(rows)}\n`);
  const date = new Date().toISOString();
  const file = join(repository, '.cache/bench', `tunnel-${date.replaceAll(':', '-')}.json`);
  await mkdir(join(repository, '.cache/bench'), { recursive: true });
  await writeFile(file, `${JSON.stringify({ benchmark: 'tunnel', date, machine, options, rows }, undefined, 1)}\n`);
  console.log(
    `${machine.cores} cores, ${machine.cpu}, kernel ${machine.kernel}, load at the start ${machine.load.toFixed(2)}; everything: ${file}`,
  );
  return 0;
}
