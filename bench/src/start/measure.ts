/** One life of one side on a fresh host: the first start, a power cut and the start after it, and a minute of quiet. */
import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host, Lab } from '@rfo/e2e';
import { fail, type Life, sleep } from '@rfo/foundation';
import type { Cold, Idle, Measurement, Phase, Restart, Side } from './figures.ts';
import { allRun, coldMarks, type Fact, latestPods, restartMarks, steps } from './marks.ts';
import { node } from './node-paths.ts';
import { type Observation, observe } from './observation.ts';
import { onMachine, procOf } from './on-machine.ts';
import type { ReadyFiles } from './ready-files.ts';
import { type Parts, prepareSide, type Started, startHand, startRfo } from './sides.ts';
import { readCpu, readCpuTimes, readMemory, readStarts } from './usage.ts';

/** The same host again and again: what `rfo` made on it is good for the others. */
const hostName = 'node';
const hostIp = '10.98.0.11';
/** Seconds of quiet before the measured minute, and the length of that. */
const settle = 30;
const minute = 60;

/** `at`: seconds from the start. */
export type Step = { readonly label: string; readonly at: number };
export type Traced = Measurement & {
  readonly trace: { readonly cold: readonly Step[]; readonly restart: readonly Step[]; readonly ownTable: readonly string[] };
};

export type MeasureOptions = {
  readonly lab: Lab;
  readonly life: Life;
  readonly parts: Parts;
  readonly side: Side;
  readonly round: number;
  readonly phases: readonly Phase[];
  /** Needed for the sides by hand. */
  readonly ready: ReadyFiles | undefined;
  /** Where the logs go when it fails, or always. */
  readonly logs: { readonly folder: string; readonly always: boolean };
  /** Called while everything of the first start runs. */
  readonly whileUp?: (host: Host) => Promise<void>;
};

/**
 * Measures the wanted phases; the first start is part of each, as there is nothing to restart or to stand idle without it.
 * @throws timeout, process-failed
 */
export async function measure(options: MeasureOptions): Promise<Traced> {
  const { lab, life, side, round, phases, ready, whileUp } = options;
  const host = await lab.addHost({ name: hostName, ip: hostIp });
  const scope = life.child();
  let failed = true;
  try {
    await prepareSide(host, options.parts, side === 'rfo' ? undefined : ready);
    const first = await watchStart(host, { ...options, life: scope, mode: 'cold' });
    const cold = await first.marks<Cold>(coldMarks);
    await whileUp?.(host);
    if (ready !== undefined) await first.untilAllRun(ready.pods, new Set());
    const trace = { cold: await first.trace(), ownTable: await first.started.ownTable() };
    const last = phases.includes('restart') ? await restartHost(host, { ...options, life: scope }, first) : undefined;
    const running = last ?? first;
    // Nobody may be asking the API server while it is idle.
    await running.observation.stop();
    const idle = phases.includes('idle') ? await running.whileItRuns(measureIdle(host, lab, scope.signal)) : undefined;
    const restarted = (await last?.trace()) ?? [];
    failed = false;
    return {
      ...{ side, round, cold },
      ...(last && { restart: last.restart }),
      ...(idle && { idle }),
      trace: { ...trace, restart: restarted },
    };
  } finally {
    await scope.end();
    if (failed || options.logs.always) await keepLogs(host, join(options.logs.folder, `${side}-${round}`));
    await host.destroy();
  }
}

/** Cuts the power of a host on which everything runs, boots it and starts the same side again. */
async function restartHost(host: Host, options: MeasureOptions, first: Watched): Promise<Watched & { readonly restart: Restart }> {
  const before = new Set(latestPods(first.observation.facts).flatMap(({ containers }) => containers));
  await first.observation.stop();
  await host.powerCut();
  await host.boot();
  const again = await watchStart(host, { ...options, mode: 'restart' });
  const restart = await again.marks<Restart>(restartMarks(before));
  await again.untilAllRun(options.ready?.pods ?? 0, before);
  return { ...again, restart };
}

async function keepLogs(host: Host, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const places = { sides: join(host.dir, 'logs'), components: onMachine(host, node.logs), pods: join(host.dir, 'disk/var-log/pods') };
  for (const [name, from] of Object.entries(places)) if (existsSync(from)) await cp(from, join(folder, name), { recursive: true });
}

type Watched = {
  readonly started: Started;
  readonly observation: Observation;
  /** Waits for all of these moments and gives them in seconds from the start. */
  readonly marks: <T extends Readonly<Record<string, number>>>(marks: { readonly [K in keyof T]: Mark }) => Promise<T>;
  readonly untilAllRun: (count: number, before: ReadonlySet<string>) => Promise<void>;
  readonly whileItRuns: <T>(work: Promise<T>) => Promise<T>;
  readonly trace: () => Promise<readonly Step[]>;
};
type Mark = (facts: readonly Fact[]) => number | undefined;

type Mode = { readonly mode: 'cold' | 'restart' };

/** Starts a side with somebody watching. What was written before is on disk by then: nobody pays for the work of another. */
async function watchStart(host: Host, options: MeasureOptions & Mode): Promise<Watched> {
  const { life, parts, side, ready, mode } = options;
  const { signal } = life;
  await host.must(['sync'], { timeout: 120_000 });
  const observation = await observe(host, mode);
  life.defer(() => observation.stop());
  const started = await startSide(host, { parts, side, ready, mode, signal });
  // Heard by whoever waits at that moment.
  started.broken.catch(() => undefined);
  const whileItRuns = <T>(work: Promise<T>): Promise<T> => Promise.race([work, started.broken]);
  return {
    started,
    observation,
    whileItRuns,
    marks: async <T extends Readonly<Record<string, number>>>(marks: { readonly [K in keyof T]: Mark }) => {
      const entries = Object.entries(marks) as [string, Mark][];
      for (const [name, mark] of entries) {
        await whileItRuns(observation.until(`${mode}: ${name} of ${side}`, (facts) => mark(facts) !== undefined, signal));
      }
      return Object.fromEntries(entries.map(([name, mark]) => [name, seconds(mark(observation.facts), started)])) as T;
    },
    untilAllRun: (count, before) =>
      whileItRuns(observation.until(`${mode}: all pods of ${side}`, (facts) => allRun(facts, count, before), signal)),
    trace: async () => {
      const all = [
        ...steps(observation.facts),
        ...(await started.steps()).filter(({ label }) => label !== 'start'),
        ...(await readStarts(procOf(host))),
      ];
      return all.map(({ label, at }) => ({ label, at: seconds(at, started) })).sort((a, b) => a.at - b.at);
    },
  };
}

function startSide(
  host: Host,
  options: Pick<MeasureOptions, 'parts' | 'side' | 'ready'> & { readonly mode: 'cold' | 'restart'; readonly signal: AbortSignal },
): Promise<Started> {
  const { parts, side, ready, mode, signal } = options;
  const name = `${side}-${mode}`;
  if (side === 'rfo') return startRfo(host, parts, name, signal);
  if (ready === undefined) throw fail('internal', { what: 'a side by hand was started before the warm-up of rfo' });
  return startHand(host, parts, { side, name, first: mode === 'cold', ready, signal });
}

async function measureIdle(host: Host, lab: Lab, signal: AbortSignal): Promise<Idle> {
  const cgroups = lab.trace.cgroups.map((path) => join(path, host.name));
  await sleep(settle * 1000, signal);
  const [before, each, begin] = [await readCpu(cgroups), await readCpuTimes(procOf(host)), performance.now()];
  await sleep(minute * 1000, signal);
  const used = (await readCpu(cgroups)) - before;
  const passed = (performance.now() - begin) / 1000;
  const now = await readCpuTimes(procOf(host));
  const processes = (await readMemory(procOf(host))).map((process) => {
    const { pid } = process;
    return { ...process, cpu: (((now.get(pid) ?? 0) - (each.get(pid) ?? 0)) / passed) * minute };
  });
  return { processes, cpu: (used / passed) * minute };
}

function seconds(at: number | undefined, { start }: Started): number {
  return at === undefined ? Number.NaN : (at - start) / 1000;
}
