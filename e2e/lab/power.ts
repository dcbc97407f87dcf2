/** Switches a host on: starts its boot script in namespaces and cgroups of its own, and finds its process 1. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, systemCode } from '@rfo/foundation';
import type { HostPlace } from './cgroups.ts';
import { joinCgroups, withoutClock } from './enter.ts';
import { baseEnvironment, lastLines, must } from './run.ts';

export type BootOrder = {
  readonly labId: string;
  readonly name: string;
  /** The host's directory in each hierarchy. */
  readonly places: readonly HostPlace[];
  /** Where processes that belong to the lab but to no host go, in v2 hierarchies. */
  readonly outside: readonly string[];
  /** Options of unshare(1). */
  readonly namespaces: readonly string[];
  /** Writes `ready` to descriptor 3. */
  readonly script: string;
  readonly logFile: string;
};
/** The process that started the host: its number, and its end. */
export type Starter = { readonly pid: number; readonly over: Promise<void>; readonly ref: () => void };

/** @throws `process-failed` with what the script said last */
export async function startHost(order: BootOrder): Promise<Starter> {
  const { labId, name, places, namespaces, script, logFile } = order;
  const enter = places.map(({ path }) => join(path, 'cgroup.procs'));
  const [file = '', ...args] = joinCgroups(
    enter,
    withoutClock(['unshare', ...namespaces, '--propagation', 'private', 'sh', '-ec', script]),
  );
  const log = openSync(logFile, 'a');
  const env = { ...baseEnvironment(), RFO_LAB_ID: labId };
  const child = spawn(file, args, { detached: true, env, stdio: ['ignore', log, log, 'pipe'] });
  closeSync(log);
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await once(child, 'spawn');
  const ready = child.stdio[3];
  if (!ready || !('readable' in ready)) throw fail('internal', { what: 'no pipe to the boot script' });
  // Not until its end: unshare holds the pipe open as well.
  const said = await Promise.race([once(ready, 'data').then(([chunk]) => String(chunk)), over.then(() => '')]);
  ready.destroy();
  if (said.trim() !== 'ready' || !(await appears(places, over))) {
    await over;
    const output = `:\n${lastLines(await readFile(logFile, 'utf8'), 20)}`;
    throw fail('process-failed', { name: `the boot of host ${name}`, status: 'an error', output, log: logFile });
  }
  // The test may end while the host runs: the keeper removes it then.
  child.unref();
  const pid = child.pid ?? 0;
  for (const path of order.outside) await must(['sh', '-c', `echo ${pid} > ${path}`]);
  return { pid, over, ref: () => child.ref() };
}

/** Waits for process 1: of a full host it comes some milliseconds after the script is done, and nobody is told. */
async function appears(places: readonly HostPlace[], over: Promise<void>): Promise<boolean> {
  let ended = false;
  void over.then(() => {
    ended = true;
  });
  while (findInit(places) === undefined) {
    if (ended) return false;
    await delay(5);
  }
  return true;
}

/** Process 1 of a host by its number out here: the one of its processes that is number 1 in the inner of two process namespaces. */
export function findInit(places: readonly Pick<HostPlace, 'path'>[]): number | undefined {
  // Its processes are in all hierarchies; one is enough to look through.
  const path = places[0]?.path;
  return path === undefined ? undefined : searchInit(path);
}

/** Whether this process is number 1 of a host (still). */
export function isInit(pid: number): boolean {
  const numbers = /^NSpid:\s+(.*)$/m.exec(readIfThere(`/proc/${pid}/status`))?.[1]?.split(/\s+/) ?? [];
  return numbers.length === 2 && numbers[1] === '1';
}

function searchInit(path: string): number | undefined {
  for (const line of readIfThere(join(path, 'cgroup.procs')).split('\n')) if (line !== '' && isInit(Number(line))) return Number(line);
  for (const entry of foldersOf(path)) {
    const found = searchInit(join(path, entry));
    if (found !== undefined) return found;
  }
  return undefined;
}

function foldersOf(path: string): readonly string[] {
  return orIfGone([], () =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name),
  );
}

function readIfThere(path: string): string {
  return orIfGone('', () => readFileSync(path, 'utf8'));
}

/** Processes and cgroups go while one looks. */
function orIfGone<T>(otherwise: T, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ESRCH'].includes(systemCode(error) ?? '')) return otherwise;
    throw error;
  }
}
