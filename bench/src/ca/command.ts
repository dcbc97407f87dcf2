/** `npm run bench -- ca`: how fast certificates are issued and their status is told, against the real cfssl. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '@rfo/e2e';
import { Life } from '@rfo/foundation';
import { startLoad } from '../load.ts';
import { describeMachine } from '../machine.ts';
import { renderRows, type Sample, summarizeSamples } from './figures.ts';
import type { Load, Measured } from './load.ts';
import { measureRound, renderQuestions } from './measure.ts';
import { parseCaOptions, usage } from './options.ts';
import { startSides } from './sides.ts';

/** @returns the exit code: 0 when everything could be measured, whatever came out */
export async function benchCa(args: readonly string[], signal: AbortSignal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const options = parseCaOptions(args);
  const machine = describeMachine();
  await using life = new Life();
  signal.addEventListener('abort', () => void life.end(signal.reason), { once: true });
  const sides = await startSides(life);
  const send = startLoad<Load, Measured>(new URL('./load.ts', import.meta.url), life);
  const questions = await renderQuestions(sides);
  const samples: Sample[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    signal.throwIfAborted();
    const measured = await measureRound({ sides, send, questions, seconds: options.seconds }, round);
    console.log(round === 0 ? 'warm-up is over' : `round ${round}/${options.rounds} is over`);
    if (round > 0) samples.push(...measured);
  }
  const rows = summarizeSamples(samples);
  console.log(`\n${renderRows(rows)}\n`);
  const issued = { rfo: sides.rfo.count(), cfssl: sides.cfssl.count() };
  const date = new Date().toISOString();
  const file = join(repository, '.cache/bench', `ca-${date.replaceAll(':', '-')}.json`);
  await mkdir(join(repository, '.cache/bench'), { recursive: true });
  await writeFile(file, `${JSON.stringify({ benchmark: 'ca', date, machine, options, issued, rows }, undefined, 1)}\n`);
  const { cores, cpu, kernel, load } = machine;
  console.log(`${cores} cores, ${cpu}, kernel ${kernel}, load at the start ${load.toFixed(2)}; everything: ${file}`);
  return 0;
}
