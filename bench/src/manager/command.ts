/** `npm run bench -- manager`: what the manager costs between people and their clusters. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureComponents, openReport } from '@rfo/components';
import { repository } from '@rfo/e2e';
import { Life } from '@rfo/foundation';
import { describeMachine, type Machine } from '../machine.ts';
import { measureAgent } from './agent.ts';
import { measureCrowd } from './crowd.ts';
import { measureDoor } from './door.ts';
import { renderRows, type Sample, summarizeSamples } from './figures.ts';
import { type ManagerBenchOptions, parseManagerOptions, usage } from './options.ts';
import { applyImport, openStage, register, type Stage, startAgent, startManager } from './stage.ts';
import { measurePods } from './ten-thousand-pods.ts';
import { measureTunnel } from './tunnel.ts';

/** The cluster that the door leads to. */
const cluster = 'bench';

/** Milliseconds; a quiet machine needs five minutes. */
const within = 900_000;

/** @returns the exit code: 0 when everything could be measured, whatever came out */
export async function benchManager(args: readonly string[], interrupted: AbortSignal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const options = parseManagerOptions(args);
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(within)]);
  const { rows: wanted, profile } = options;
  const staged = wanted.some((row) => row !== 'tunnel');
  if (staged) await build(signal);
  const machine = describeMachine();
  const samples: Sample[] = [];
  {
    await using life = new Life();
    const abort = (): void => void life.end(signal.reason).catch(() => undefined);
    signal.addEventListener('abort', abort, { once: true });
    signal.throwIfAborted();
    if (wanted.includes('tunnel')) samples.push(...(await measureTunnel(options, life)));
    if (staged) samples.push(...(await measureOnStage(await openStage({ life, profile }), options)));
    signal.removeEventListener('abort', abort);
  }
  const rows = summarizeSamples(samples, { busy: problemOf(machine) });
  console.log(`\n${renderRows(rows)}\n`);
  const date = new Date().toISOString();
  const file = join(repository, '.cache/bench', `manager-${date.replaceAll(':', '-')}.json`);
  await mkdir(join(repository, '.cache/bench'), { recursive: true });
  await writeFile(file, `${JSON.stringify({ benchmark: 'manager', date, machine, options, rows }, undefined, 1)}\n`);
  const { cores, cpu, kernel, load } = machine;
  console.log(`${cores} cores, ${cpu}, kernel ${kernel}, load at the start ${load.toFixed(2)}; everything: ${file}`);
  return 0;
}

/** The API server and etcd that it is measured with: before anything is timed, and not found missing after minutes. */
async function build(signal: AbortSignal): Promise<void> {
  using progress = openReport(process.stdout);
  await ensureComponents({ report: progress.report, signal });
}

/** The crowd comes last, as it restarts the manager. */
async function measureOnStage(stage: Stage, options: ManagerBenchOptions): Promise<readonly Sample[]> {
  const wants = (...names: readonly string[]): boolean => options.rows.some((row) => names.includes(row));
  const manager = await startManager(stage);
  const samples: Sample[] = [];
  if (wants('door', 'agent')) {
    const { manifest } = await register(manager, cluster, { manifest: true });
    const account = await applyImport(stage, manifest);
    const agent = await startAgent(stage, account);
    if (wants('door')) samples.push(...(await measureDoor({ stage, manager, agent: agent.program, account, cluster, bench: options })));
    if (wants('agent')) samples.push(...(await measureAgent(stage, agent)));
    await agent.program.stop();
  }
  if (wants('pods')) samples.push(...(await measurePods(stage, manager)));
  if (wants('crowd')) samples.push(...(await measureCrowd(stage, manager, options)));
  return samples;
}

/** What else ran within the last minute was measured as well. */
function problemOf({ load, cores }: Machine): string | undefined {
  return load > cores / 2 ? `the machine was busy: load ${load.toFixed(1)}` : undefined;
}
