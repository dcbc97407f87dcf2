/** Removes the cgroups of pods; the kernel lets only empty ones go, so one that somebody still uses stays by itself. */
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '@rfo/foundation';
import { execute } from '../execute.ts';
import { ownMounts } from './mounts.ts';

const podRoots = ['kubepods', 'kubepods.slice'];

/** @returns the pod cgroups that are still there, as sentences */
export async function removePodCgroups(): Promise<string[]> {
  const roots = (await ownMounts())
    .filter(({ type, point }) => (type === 'cgroup' || type === 'cgroup2') && point.startsWith('/sys/fs/cgroup'))
    .flatMap(({ point }) => podRoots.map((name) => join(point, name)));
  const present = await Promise.all(roots.map(async (root) => ((await children(root)) === undefined ? [] : [root])));
  if (present.flat().some((root) => root.endsWith('.slice'))) await execute('systemctl', ['stop', 'kubepods.slice']);
  const left = await Promise.all(present.flat().map(removeTree));
  return left.flat().map((group) => `cgroup ${group} is in use`);
}

async function removeTree(group: string): Promise<string[]> {
  for (const child of (await children(group)) ?? []) {
    const left = await removeTree(join(group, child));
    if (left.length > 0) return left;
  }
  return (await removeEmpty(group)) ? [] : [group];
}

/** A killed process leaves its cgroup a moment after it is gone from /proc, which cgroup v1 tells nobody: tried again for half a second. */
async function removeEmpty(group: string): Promise<boolean> {
  const deadline = performance.now() + 500;
  for (;;) {
    try {
      await rmdir(group);
      return true;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return true;
      if (systemCode(error) !== 'EBUSY') throw error;
      if (performance.now() >= deadline) return false;
    }
    await delay(10);
  }
}

async function children(group: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(group, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
