/** Unmounts what a node has mounted, and removes folders without ever following a mount into somebody's data. */
import { readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { systemCode } from '@rfo/foundation';
import { execute } from '../execute.ts';
import { type Mount, parseMountinfo } from '../proc.ts';

/** Mount points at or below one of the roots, the latest mounted first: the order in which they come off. */
export function mountsBelow(mounts: readonly Mount[], roots: readonly string[]): string[] {
  return mounts
    .filter(({ point }) => roots.some((root) => isBelow(point, root)))
    .toSorted((a, b) => b.id - a.id)
    .map(({ point }) => point);
}

/**
 * Unmounts everything strictly below the roots (a root that is a mount itself belongs to the host). Nothing is deleted.
 * A filesystem that a dying process still holds is detached: it goes when its last user does.
 * @returns what is still mounted, as sentences
 */
export async function unmountBelow(roots: readonly string[]): Promise<string[]> {
  const mounted = async (): Promise<string[]> => mountsBelow(await ownMounts(), roots).filter((point) => !roots.includes(point));
  const points = await mounted();
  if (points.length === 0) return [];
  await execute('umount', ['--no-canonicalize', ...points]);
  const busy = await mounted();
  if (busy.length === 0) return [];
  await execute('umount', ['--no-canonicalize', '--lazy', ...busy]);
  return (await mounted()).map((point) => `${point} is still mounted`);
}

/**
 * How often a folder is mounted on itself, as kubelet does with its own where the host does not share mounts. Such a mount shows nothing
 * but the folder that lies below it; a disk of the host's at the same place shows another filesystem, or another folder.
 */
export function selfBinds(mounts: readonly Mount[], folder: string): number {
  const byId = new Map(mounts.map((mount) => [mount.id, mount]));
  return mounts.filter((mount) => {
    const below = byId.get(mount.parent);
    if (mount.point !== folder || below === undefined || mount.device !== below.device) return false;
    return mount.root === join(below.root, relative(below.point, folder));
  }).length;
}

/**
 * Takes a folder's mounts on itself off; what it holds stays.
 * @returns that one is left, as a sentence
 */
export async function unmountSelf(folder: string): Promise<string[]> {
  for (let left = selfBinds(await ownMounts(), folder); left > 0; left--) await execute('umount', ['--no-canonicalize', folder]);
  return selfBinds(await ownMounts(), folder) === 0 ? [] : [`${folder} is still mounted on itself`];
}

/**
 * Removes a folder unless something is mounted in it; where it is a mount itself only what is in it goes.
 * @returns why it is still there, as sentences
 */
export async function removeFolder(folder: string): Promise<string[]> {
  const inside = mountsBelow(await ownMounts(), [folder]);
  if (inside.length > 0) return [`${folder} is kept: ${inside[0]} is mounted`];
  // fs.rm would walk into a mount that appears meanwhile; rm(1) can be told not to.
  const run = await execute('rm', ['-rf', '--one-file-system', '--', folder]);
  return run.ok ? [] : [run.stderr];
}

/** Unmounts and removes the file of a network namespace; its interfaces go with it. */
export async function removeNamespaceFile(file: string): Promise<void> {
  const points = mountsBelow(await ownMounts(), [file]);
  if (points.length > 0) await execute('umount', ['--no-canonicalize', '--lazy', ...points]);
  await rm(file, { force: true }).catch((error: unknown) => {
    if (systemCode(error) !== 'EBUSY') throw error;
  });
}

export async function ownMounts(): Promise<Mount[]> {
  return parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

function isBelow(point: string, root: string): boolean {
  return point === root || point.startsWith(`${root}/`);
}
