/** Stops all processes of a host where they are, as a machine that hangs: its network still acknowledges, nobody answers. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '@rfo/foundation';
import type { HostPlace } from './cgroups.ts';

/**
 * By cgroup v2, whose frozen processes can be killed; on a hybrid machine that is the hierarchy without controllers.
 * @throws `host-not-ready` on a machine without any v2 hierarchy, `timeout` when it takes over 10 s
 */
export async function setFrozen(places: readonly HostPlace[], frozen: boolean): Promise<void> {
  const path = places.find(({ hierarchy }) => hierarchy.v2)?.path;
  if (path === undefined) {
    if (!frozen) return;
    const problems = 'it has no cgroup v2 hierarchy, by which processes are frozen';
    throw fail('host-not-ready', { problems, cure: 'Mount one: mount -t cgroup2 none /sys/fs/cgroup/unified' });
  }
  await writeFile(join(path, 'cgroup.freeze'), frozen ? '1' : '0');
  const wanted = `frozen ${frozen ? 1 : 0}`;
  const deadline = Date.now() + 10_000;
  // It takes as long as the longest system call that cannot be interrupted, mostly well under a millisecond.
  while (!(await readFile(join(path, 'cgroup.events'), 'utf8')).split('\n').includes(wanted)) {
    if (Date.now() > deadline) throw fail('timeout', { what: `"${wanted}" of ${path}`, seconds: 10, cure: 'See what its processes do' });
    await delay(1);
  }
}
