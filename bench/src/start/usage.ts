/** What a host costs while nothing happens: memory of each of its processes, and the CPU time that its cgroup was charged. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fail, readFileIfExists, systemCode } from '@rfo/foundation';

export type ProcessMemory = {
  /** As the host numbers it. */
  readonly pid: number;
  readonly name: string;
  /** Bytes, each shared page divided by how many share it. */
  readonly pss: number;
  /** Bytes of it that no file stands behind. */
  readonly anonymous: number;
};

/**
 * Every process of a host but its process 1, which is the test host's own.
 * @param proc the host's /proc
 */
export async function readMemory(proc: string): Promise<readonly ProcessMemory[]> {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name) && name !== '1');
  const found = await Promise.all(pids.map((pid) => readProcess(proc, Number(pid))));
  return found.filter((each) => each !== undefined).sort((a, b) => b.pss - a.pss);
}

/** @param text content of /proc/PID/smaps_rollup, proc_pid_smaps_rollup(5); undefined for a process without memory of its own */
export function parseMemory(text: string): { readonly pss: number; readonly anonymous: number } | undefined {
  const field = (name: string): number | undefined => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const [pss, anonymous] = [field('Pss'), field('Pss_Anon')];
  return pss === undefined || anonymous === undefined ? undefined : { pss, anonymous };
}

/** @param text content of /proc/PID/cmdline; an interpreter is called by its program */
export function processName(text: string): string {
  const words = text.split('\0').filter((word) => word !== '');
  const [first = ''] = words;
  const script = words.slice(1).find((word) => /\.(mjs|ts)$/.test(word));
  return basename(script ?? first.split(' ', 1)[0] ?? '');
}

/**
 * CPU time of a host since its boot, in seconds, all processes that ever ran in it included.
 * @param cgroups the host's directory in each hierarchy
 */
export async function readCpu(cgroups: readonly string[]): Promise<number> {
  for (const path of cgroups) {
    const nanoseconds = await readFileIfExists(join(path, 'cpuacct.usage'));
    if (nanoseconds !== undefined) return Number(nanoseconds) / 1e9;
    const microseconds = /^usage_usec (\d+)$/m.exec((await readFileIfExists(join(path, 'cpu.stat'))) ?? '')?.[1];
    if (microseconds !== undefined) return Number(microseconds) / 1e6;
  }
  throw fail('internal', { what: 'no cgroup hierarchy of this machine counts CPU time' });
}

/** When each process of a host was started: name and milliseconds since 1970, 10 ms exact. */
export async function readStarts(proc: string): Promise<readonly { readonly label: string; readonly at: number }[]> {
  const uptime = Number((await readFile(join(proc, 'uptime'), 'utf8')).split(' ', 1)[0]);
  const boot = Date.now() - uptime * 1000;
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name) && name !== '1');
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command = '', stat = ''] = await readAll([join(proc, pid, 'cmdline'), join(proc, pid, 'stat')]);
      // Field 22, in hundredths of a second; counted from behind the name in brackets, which may hold blanks.
      const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
      return { label: `process ${processName(command)}`, at: Math.round(boot + ticks * 10) };
    }),
  );
  return found.filter(({ label, at }) => label !== 'process ' && !Number.isNaN(at)).sort((a, b) => a.at - b.at);
}

/** CPU time of each process of a host so far, in seconds, without children. */
export async function readCpuTimes(proc: string): Promise<ReadonlyMap<number, number>> {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name) && name !== '1');
  const stats = await readAll(pids.map((pid) => join(proc, pid, 'stat')));
  return new Map(stats.map((stat, at) => [Number(pids[at]), parseCpuTime(stat)]));
}

/** @param stat content of /proc/PID/stat, proc_pid_stat(5): fields 14 and 15 (hundredths of a second), counted from behind the name in brackets */
export function parseCpuTime(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

async function readProcess(proc: string, pid: number): Promise<ProcessMemory | undefined> {
  const folder = join(proc, String(pid));
  const [rollup = '', command = ''] = await readAll([join(folder, 'smaps_rollup'), join(folder, 'cmdline')]);
  const memory = parseMemory(rollup);
  return memory === undefined ? undefined : { pid, name: processName(command), ...memory };
}

/** Texts of files of a process; empty where it is gone. */
async function readAll(paths: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    paths.map((path) =>
      readFile(path, 'utf8').catch((error: unknown) => {
        if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return '';
        throw error;
      }),
    ),
  );
}
