import { readdirSync, readFileSync } from 'node:fs';
import { fail, systemCode } from '@rfo/foundation';

/** A process told apart from a later one with the same number: when it started, in clock ticks since this boot. */
export type Identity = { readonly pid: number; readonly startTime: string; readonly bootId: string };

/** The identity of a living process, or undefined when there is none (a zombie counts as none). */
export function identify(pid: number): Identity | undefined {
  const found = readStat(pid);
  return found?.living ? found.identity : undefined;
}

/** Like `identify`, but also finds a child of ours that has ended already and was not waited for yet. */
export function identifyChild(pid: number): Identity | undefined {
  return readStat(pid)?.identity;
}

export function isSame(one: Identity, other: Identity | undefined): boolean {
  return other !== undefined && one.pid === other.pid && one.startTime === other.startTime && one.bootId === other.bootId;
}

/** The oldest living process with exactly this command line: a fork of it that has not called exec yet is younger. */
export function findByCommand(argv: readonly string[]): Identity | undefined {
  const wanted = argv.map((argument) => `${argument}\0`).join('');
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && readProc(`/proc/${entry}/cmdline`) === wanted)
    .map((entry) => identify(Number(entry)))
    .filter((found) => found !== undefined)
    .sort((a, b) => Number(a.startTime) - Number(b.startTime))[0];
}

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/**
 * Read synchronously: /proc never blocks, and 8 µs on the loop are cheaper than 70 µs through the thread pool.
 * Format: proc_pid_stat(5), state is field 3, start time field 22.
 */
function readStat(pid: number): { readonly identity: Identity; readonly living: boolean } | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field, the name in brackets, may hold spaces and brackets: fields are counted from its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (startTime === undefined) throw fail('internal', { what: `/proc/${pid}/stat has an unknown form: ${stat}` });
  return { identity: { pid, startTime, bootId: bootId() }, living: state !== 'Z' && state !== 'X' };
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
