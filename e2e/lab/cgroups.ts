/** The cgroups of a lab: which hierarchies this machine has, a subtree of ours in each, and its removal with every process in it. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, systemCode } from '@rfo/foundation';

export type Hierarchy = {
  /** Where it appears below /sys/fs/cgroup, '' for the single hierarchy of a cgroup v2 machine. */
  readonly folder: string;
  /** Other names of the folder, such as `cpu` for `cpu,cpuacct`. */
  readonly links: readonly string[];
  /** The one hierarchy of a cgroup v2 machine; its rules differ. The `unified` of a hybrid machine has no controllers and is like v1. */
  readonly unified: boolean;
  /** Of version 2: the single one, or the `unified` of a hybrid machine. */
  readonly v2: boolean;
  readonly cpuset: boolean;
  /** The directory below which the lab makes its own. */
  readonly base: string;
};

/** A directory in one hierarchy. */
export type HostPlace = { readonly hierarchy: Hierarchy; readonly path: string };

/**
 * The hierarchies of this machine, with our place in each. On v1 the place is below the caller's own cgroup, so that limits of the
 * caller hold for the lab as well; on v2 it is the root, because a cgroup that holds processes cannot have children with controllers.
 */
export async function findHierarchies(): Promise<readonly Hierarchy[]> {
  return parseHierarchies(await readFile('/proc/self/mountinfo', 'utf8'), await readFile('/proc/self/cgroup', 'utf8'));
}

/** @param mountinfo text of /proc/self/mountinfo, proc_pid_mountinfo(5); @param own text of /proc/self/cgroup, cgroups(7) */
export function parseHierarchies(mountinfo: string, own: string): readonly Hierarchy[] {
  const places = own.split('\n').map((line) => line.split(':'));
  const found: Hierarchy[] = [];
  for (const line of mountinfo.split('\n')) {
    const [, , , , path = '', , ...rest] = line.split(' ');
    const [type, , superOptions = ''] = rest.slice(rest.indexOf('-') + 1);
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    if (path !== '/sys/fs/cgroup' && !path.startsWith('/sys/fs/cgroup/')) continue;
    const folder = path.slice('/sys/fs/cgroup/'.length);
    const options = superOptions.split(',');
    const names = folder.includes(',') ? folder.split(',') : [];
    const isOurs = (controllers: string): boolean =>
      type === 'cgroup2' ? controllers === '' : options.includes(controllers.split(',')[0] ?? '');
    const place = places.find(([, controllers, cgroup]) => controllers !== undefined && cgroup !== undefined && isOurs(controllers));
    const unified = folder === '';
    const base = unified ? path : join(path, place?.slice(2).join(':') ?? '/');
    found.push({ folder, links: names, unified, v2: type === 'cgroup2', cpuset: options.includes('cpuset'), base });
  }
  if (found.length === 0) throw fail('internal', { what: 'no cgroup hierarchy is mounted below /sys/fs/cgroup' });
  return found;
}

/** Makes one directory in one hierarchy, ready to take processes. */
export async function makeCgroup(hierarchy: Hierarchy, path: string): Promise<void> {
  await mkdir(path);
  if (!hierarchy.unified && hierarchy.cpuset) {
    // A v1 cpuset starts empty, and no task can enter it then.
    for (const name of ['cpuset.cpus', 'cpuset.mems']) await writeFile(join(path, name), await readFile(join(path, '..', name)));
  }
  if (hierarchy.unified) {
    const enable = async (at: string): Promise<void> => {
      const controllers = (await readFile(join(at, 'cgroup.controllers'), 'utf8')).trim().split(' ').filter(Boolean);
      if (controllers.length > 0) await writeFile(join(at, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
    };
    await enable(join(path, '..'));
  }
}

/**
 * Kills every process in these subtrees and removes the directories. Nothing there is fine.
 * @throws `timeout` when something still lives in one after 20 s
 */
export async function removeCgroups(paths: readonly string[]): Promise<void> {
  const deadline = Date.now() + 20_000;
  let left = paths;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    for (const pid of await processesIn(left)) kill(pid);
    const removed = await Promise.all(left.map(removeTree));
    left = left.filter((_, index) => removed[index] === false);
    if (left.length === 0) return;
    if (Date.now() > deadline)
      throw fail('timeout', { what: `the end of all in ${left.join(', ')}`, seconds: 20, cure: 'See what lives there' });
    // A process leaves its cgroup some time after its death, and the kernel tells nobody on v1.
    await delay(pause);
  }
}

/** Every process in these cgroups and below. */
export async function processesIn(paths: readonly string[]): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (const path of paths) await collect(path, found);
  found.delete(process.pid);
  return found;
}

async function collect(path: string, found: Set<number>): Promise<void> {
  try {
    for (const line of (await readFile(join(path, 'cgroup.procs'), 'utf8')).split('\n')) if (Number(line) > 0) found.add(Number(line));
    for (const entry of await readdir(path, { withFileTypes: true })) if (entry.isDirectory()) await collect(join(path, entry.name), found);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Removes a cgroup from its leaves up; false when something is still in it. */
async function removeTree(path: string): Promise<boolean> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const children = await Promise.all(entries.filter((entry) => entry.isDirectory()).map((entry) => removeTree(join(path, entry.name))));
    if (children.includes(false)) return false;
    await rmdir(path);
    return true;
  } catch (error) {
    if (isGone(error)) return true;
    if (systemCode(error) === 'EBUSY' || systemCode(error) === 'ENOTEMPTY') return false;
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

/** ENODEV is what reading a cgroup file gives whose cgroup was removed while it was open. */
function isGone(error: unknown): boolean {
  return systemCode(error) === 'ENOENT' || systemCode(error) === 'ENODEV' || systemCode(error) === 'ENOTDIR';
}
