/** Removes labs that nobody owns any more: processes, cgroups, loop devices, files. Namespaces and mounts go with the processes. */
import { rm, stat } from 'node:fs/promises';
import { systemCode } from '@rfo/foundation';
import { removeCgroups } from './cgroups.ts';
import { isAlive } from './process-facts.ts';
import { listLabs, readState } from './state.ts';

/** Removes every lab whose owner is dead, unless it is kept. Gives their folders. */
export async function reapDeadLabs(): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const dir of await listLabs()) {
    const state = await readState(dir);
    const dead = state === undefined ? await isAbandoned(dir) : !state.kept && !(await isAlive(state.owner));
    if (!dead) continue;
    await reapLab(dir);
    removed.push(dir);
  }
  return removed;
}

/** A lab writes its state in its first milliseconds: without one for a minute, its maker died before anything but the folder was there. */
async function isAbandoned(dir: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(dir)).mtimeMs > 60_000;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Removes one lab, living or dead, kept or not. Two that do so at the same time do not disturb each other. */
export async function reapLab(dir: string): Promise<void> {
  const state = await readState(dir);
  if (state !== undefined) {
    await removeCgroups(state.cgroups);
    if (state.keeper !== undefined && state.keeper.pid !== process.pid && (await isAlive(state.keeper)))
      process.kill(state.keeper.pid, 'SIGKILL');
  }
  await rm(dir, { recursive: true, force: true, maxRetries: 3 });
}
