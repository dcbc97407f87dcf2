/** What /proc tells about a process: when it started, who its children are. */
import { readFileIfExists, systemCode } from '@rfo/foundation';

/** A process that cannot be confused with a later one of the same number. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: string; readonly boot: string };

/** @returns undefined when there is no such process */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const [startTime, boot] = await Promise.all([startTimeOf(pid), readFileIfExists('/proc/sys/kernel/random/boot_id')]);
  return startTime === undefined ? undefined : { pid, startTime, boot: (boot ?? '').trim() };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identify(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.boot === identity.boot;
}

/** The only child of a process that starts just one (nsenter, unshare), by its number out here; undefined before it has one. */
export async function childOf(pid: number): Promise<number | undefined> {
  const children = await readProc(`/proc/${pid}/task/${pid}/children`);
  const first = Number(children?.trim().split(' ')[0]);
  return first > 0 ? first : undefined;
}

/** A file of /proc, or undefined where the process is gone (whichever way the kernel says so) or is not ours to look into. */
export async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFileIfExists(path);
  } catch (error) {
    if (systemCode(error) === 'ESRCH' || systemCode(error) === 'EACCES') return undefined;
    throw error;
  }
}

/** Field 22 of /proc/PID/stat, proc_pid_stat(5), in clock ticks since boot; a zombie counts as gone. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in field 2 may hold spaces and brackets; the fields after its last bracket do not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
