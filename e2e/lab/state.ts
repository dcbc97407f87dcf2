/** What a lab leaves on disk about itself, so that another process can go on with it, or remove it after a crash. */
import { mkdir, readdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readFileIfExists, systemCode, writeFileAtomic } from '@rfo/foundation';
import type { Faults } from './faults.ts';
import type { ProcessIdentity } from './process-facts.ts';

export type HostState = {
  readonly name: string;
  readonly kind: 'light' | 'full';
  readonly ip: string;
  /** How often its disks were emptied: each time it gets another machine id. */
  readonly generation: number;
  /** The root file system below a full host's own. */
  readonly base?: string;
  /** What a full host reads as the command line of its kernel, beside what the lab gives it. */
  readonly commandLine?: readonly string[];
};

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
  readonly hosts: readonly HostState[];
  /** The last number of the address that the next host gets. */
  readonly nextAddress: number;
  readonly faults: Faults;
  /** The programs that delay the frames of slowed hosts, by the host's name. */
  readonly wires: Readonly<Record<string, ProcessIdentity>>;
};

/** The state of a living lab: changed in memory at once, on disk in the order of the changes. */
export type StateStore = {
  readonly current: () => LabState;
  readonly update: (change: (state: LabState) => LabState) => Promise<void>;
};

export function createStateStore(initial: LabState): StateStore {
  let state = initial;
  let written = Promise.resolve();
  return {
    current: () => state,
    update: (change) => {
      state = change(state);
      const latest = state;
      const write = (): Promise<void> => writeState(latest);
      // A failed write is its own caller's; the next one writes everything again.
      const done = written.then(write, write);
      written = done;
      return done;
    },
  };
}

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
  for (let count = 0; ; count++) {
    const id = count === 0 ? `${name}-${process.pid}` : `${name}-${process.pid}-${count}`;
    const dir = join(folder, id);
    if (await claimFolder(dir)) return { id, dir };
  }
}

/** Makes the folder of a lab; false when there is one already. */
export async function claimFolder(dir: string): Promise<boolean> {
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 });
  try {
    await mkdir(dir, { mode: 0o700 });
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return false;
  }
}

function writeState(state: LabState): Promise<void> {
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
