/** Proves that a lab is gone: no process, mount, namespace, cgroup, loop device or file of it is left on this machine. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
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
    if (environment?.split('\0').includes(`RFO_LAB_ID=${id}`)) found.push(`process ${await describe(pid)}`);
    for (const kind of ['net', 'mnt', 'pid']) {
      const namespace = await namespaceOf(pid, kind);
      if (namespace !== undefined && trace.namespaces.has(namespace))
        found.push(`namespace ${namespace} of process ${await describe(pid)}`);
    }
  }
  for (const name of (await readdir('/sys/block')).filter((block) => block.startsWith('loop'))) {
    const file = await readProc(`/sys/block/${name}/loop/backing_file`);
    if (file?.startsWith(dir)) found.push(`loop device ${name} on ${file.trim()}`);
  }
  if (existsSync(dir)) found.push(`folder ${dir}`);
  return found;
}

async function namespaceOf(pid: string, kind: string): Promise<string | undefined> {
  try {
    return await readlink(`/proc/${pid}/ns/${kind}`);
  } catch {
    // The process is gone.
    return undefined;
  }
}

async function describe(pid: string): Promise<string> {
  return `${pid} (${(await readProc(`/proc/${pid}/cmdline`))?.replaceAll('\0', ' ').trim()})`;
}
