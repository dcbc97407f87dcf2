/**
 * Proves that a lab is gone: no process, mount, cgroup, loop device or file of it is left on this machine. Namespaces need no look of their own:
 * they live by a process or a mount, and their numbers are given to others soon.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { processesIn } from './cgroups.ts';
import type { LabTrace } from './lab.ts';
import { identify, readProc } from './process-facts.ts';

/** @throws AssertionError that names everything that is left */
export async function assertClean(trace: LabTrace): Promise<void> {
  assert.deepEqual(await remains(trace), [], `lab ${trace.id} left something behind`);
}

/** What is left of a lab, one line each. */
export async function remains(trace: LabTrace): Promise<readonly string[]> {
  const { id, dir, cgroups } = trace;
  const found: string[] = [];
  for (const path of cgroups) if (existsSync(path)) found.push(`cgroup ${path} with ${[...(await processesIn([path]))].join(' ')}`);
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) if (line.includes(dir)) found.push(`mount ${line}`);
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // A zombie is gone; its entry stays until its parent asks, and when its test was killed, that is this machine's process 1.
    if ((await identify(Number(pid))) === undefined) continue;
    const environment = await readProc(`/proc/${pid}/environ`);
    if (environment?.split('\0').some((entry) => entry === `RFO_LAB_ID=${id}` || entry === `RFO_LAB_KEEPER=${id}`))
      found.push(`process ${await describe(pid)}`);
  }
  for (const name of (await readdir('/sys/block')).filter((block) => block.startsWith('loop'))) {
    const file = await readProc(`/sys/block/${name}/loop/backing_file`);
    if (file?.startsWith(dir)) found.push(`loop device ${name} on ${file.trim()}`);
  }
  if (existsSync(dir)) found.push(`folder ${dir}`);
  return found;
}

async function describe(pid: string): Promise<string> {
  return `${pid} (${(await readProc(`/proc/${pid}/cmdline`))?.replaceAll('\0', ' ').trim()})`;
}
