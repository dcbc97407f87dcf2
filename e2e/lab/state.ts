/** What a lab leaves on disk about itself, so that another process can remove it after a crash. */
import { mkdir, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, systemCode, writeFileAtomic } from '@rfo/foundation';
import type { ProcessIdentity } from './process-facts.ts';

export type LabState = {
  readonly id: string;
  readonly dir: string;
  readonly owner: ProcessIdentity;
  /** The process that holds the switch and removes the lab when the owner dies; not there in the first milliseconds. */
  readonly keeper?: ProcessIdentity;
  /** The lab's directory in every cgroup hierarchy. */
  readonly cgroups: readonly string[];
  /** Kept for study: only an explicit order removes it. */
  readonly kept: boolean;
};

/**
 * The folder of all labs of this machine: `RFO_LAB_DIR`, else /var/tmp/rfo-lab, or /dev/shm/rfo-lab where /var/tmp is an overlay
 * (a container's root), which can carry neither our overlay nor containerd's.
 */
export async function labsFolder(): Promise<string> {
  const chosen = process.env.RFO_LAB_DIR;
  if (chosen !== undefined) return chosen;
  return (await statfs('/var/tmp')).type === OVERLAYFS_MAGIC ? '/dev/shm/rfo-lab' : '/var/tmp/rfo-lab';
}

/** Takes a name that no other lab has; its folder is made and ours. */
export async function claimId(name: string): Promise<{ readonly id: string; readonly dir: string }> {
  const folder = await labsFolder();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (let count = 0; ; count++) {
    const id = count === 0 ? `${name}-${process.pid}` : `${name}-${process.pid}-${count}`;
    try {
      await mkdir(join(folder, id), { mode: 0o700 });
      return { id, dir: join(folder, id) };
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

export function writeState(state: LabState): Promise<void> {
  return writeFileAtomic(join(state.dir, 'lab.json'), `${JSON.stringify(state, undefined, 2)}\n`, 0o600);
}

/** The lab in this folder, or undefined when its maker died before writing the state (then the folder is all there is). */
export async function readState(dir: string): Promise<LabState | undefined> {
  const text = await readFileIfExists(join(dir, 'lab.json'));
  return text === undefined ? undefined : (JSON.parse(text) as LabState);
}

/** The folders of all labs, living or dead. */
export async function listLabs(): Promise<readonly string[]> {
  const folder = await labsFolder();
  try {
    return (await readdir(folder)).map((name) => join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** statfs(2) f_type of overlayfs. */
const OVERLAYFS_MAGIC = 0x794c7630;
