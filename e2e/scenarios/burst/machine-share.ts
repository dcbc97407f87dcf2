/** How much of the machine others have: what a time says depends on it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists } from '@rfo/foundation';

/** Gives a function that tells which part of the processors' time (0 to 1) has since gone to processes that are not the lab's. */
export async function watchOthers(cgroups: readonly string[]): Promise<() => Promise<number>> {
  const before = await read(cgroups);
  return async () => {
    const now = await read(cgroups);
    return Math.max(0, now.busy - before.busy - (now.lab - before.lab)) / (now.all - before.all);
  };
}

/** Seconds of all processors, of those in use, and of those that the lab used. */
async function read(cgroups: readonly string[]): Promise<{ readonly all: number; readonly busy: number; readonly lab: number }> {
  // proc_stat(5), in hundredths: user, nice, system, idle, iowait, irq, softirq, steal; the rest is part of them.
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const fields = line.trim().split(/ +/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, field) => sum + field, 0) / 100;
  const idle = ((fields[3] ?? 0) + (fields[4] ?? 0)) / 100;
  return { all, busy: all - idle, lab: await usedBy(cgroups) };
}

/** cgroup v1 has a file for it, v2 a line of one. */
async function usedBy(cgroups: readonly string[]): Promise<number> {
  for (const path of cgroups) {
    const nanoseconds = await readFileIfExists(join(path, 'cpuacct.usage'));
    if (nanoseconds !== undefined) return Number(nanoseconds) / 1e9;
  }
  for (const path of cgroups) {
    const microseconds = /^usage_usec (\d+)$/m.exec((await readFileIfExists(join(path, 'cpu.stat'))) ?? '')?.[1];
    if (microseconds !== undefined) return Number(microseconds) / 1e6;
  }
  return assert.fail('the lab has no cgroup that counts the processors’ time');
}
