import { fail, type Log } from '@rfo/foundation';
import { listRecords, type ProcessRecord, processOf, removeRecord } from './record.ts';
import { type RunningProcess, watchAdopted } from './running-process.ts';
import type { ProcessSpec, StopScope } from './spec.ts';
import { whenAborted } from './when-aborted.ts';

/** How long after SIGKILL a process is waited for, in milliseconds. */
const killGrace = 10_000;

export type StopSettings = { readonly signal: NodeJS.Signals; readonly grace: number; readonly scope: StopScope };

/**
 * Ends a process: stop signal, grace, SIGKILL; resolves when it is gone and its record removed. Tells whether SIGKILL was needed.
 * Throws `process-stuck` when even that does not end it.
 */
export async function stopProcess(process: RunningProcess, spec: ProcessSpec, log: Log): Promise<{ readonly killed: boolean }> {
  const { stopSignal: signal = 'SIGTERM', stopGrace: grace = 10_000, stopScope: scope = 'process' } = spec;
  const result = await end(process, { signal, grace, scope }, log);
  removeRecord(spec.recordFile);
  return result;
}

/**
 * Ends every recorded process whose name is not listed: what ran for a component that the configuration no longer has.
 * Each is ended as its own record says, all at the same time.
 */
export async function stopUnlisted(options: {
  readonly folder: string;
  readonly names: ReadonlySet<string>;
  readonly log: Log;
}): Promise<void> {
  const { folder, names, log } = options;
  const strangers = (await listRecords(folder)).filter(({ record }) => !names.has(record.name));
  const because = 'ending what no component owns any more';
  await Promise.all(strangers.map(({ file, record }) => stopRecorded({ file, record }, { stop: record.stop, because, log })));
}

/**
 * Ends the recorded processes of these names: those of one group side by side, the groups one after the other.
 * @param options.grace milliseconds for each, in place of what their records say
 */
export async function stopNamed(options: {
  readonly folder: string;
  readonly groups: readonly (readonly string[])[];
  readonly grace: number;
  readonly because: string;
  readonly log: Log;
}): Promise<void> {
  const { folder, groups, grace, because, log } = options;
  const records = await listRecords(folder);
  for (const names of groups) {
    const found = records.filter(({ record }) => names.includes(record.name));
    await Promise.all(found.map((each) => stopRecorded(each, { stop: { ...each.record.stop, grace }, because, log })));
  }
}

async function stopRecorded(
  { file, record }: { readonly file: string; readonly record: ProcessRecord },
  { stop, because, log }: { readonly stop: StopSettings; readonly because: string; readonly log: Log },
): Promise<void> {
  const identity = processOf(record);
  if (identity !== undefined) {
    log.info(because, { name: record.name, pid: identity.pid });
    await end(watchAdopted({ name: record.name, identity, logFile: record.logFile }), stop, log);
  }
  removeRecord(file);
}

async function end(process: RunningProcess, stop: StopSettings, log: Log): Promise<{ readonly killed: boolean }> {
  process.kill(stop.signal, stop.scope);
  process.expectEnd();
  if (await goneWithin(process, stop.grace)) return { killed: false };
  log.warn('did not end in time and is killed', { name: process.name, pid: process.pid, grace: stop.grace });
  process.kill('SIGKILL', stop.scope);
  if (await goneWithin(process, killGrace)) return { killed: true };
  throw fail('process-stuck', { name: process.name, pid: process.pid });
}

function goneWithin(process: RunningProcess, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    void whenAborted(process.gone).then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
