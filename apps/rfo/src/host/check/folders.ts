/** Whether the folders of a node can hold what it puts there. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ownMounts } from '../cleanup/mounts.ts';
import { hostFolders } from '../folders.ts';
import { existingFolder } from '../probe.ts';
import type { Mount } from '../proc.ts';
import { type Check, type CheckInputs, type Finding, failed, ok, warn } from './finding.ts';

/** sun_path of unix(7) holds 108 bytes with its end. */
const longestSocket = 107;
const minimumDisk = 10 * 2 ** 30;

export const checkFolders: Check = async (inputs) => {
  const mounts = await ownMounts();
  const folders = [inputs.paths.data, inputs.paths.run];
  return [...folders.flatMap((folder) => noexec(folder, mounts)), ...socketPaths(inputs)];
};

export const checkDiskSpace: Check = async ({ paths, config }) => {
  const { bavail, blocks, bsize } = await statfs(await existingFolder(paths.data));
  const [free, size] = [bavail * bsize, blocks * bsize];
  const found = `${gib(free)} of ${gib(size)} free for ${paths.data}`;
  const cure = config['disable-agent']
    ? 'Free some: with a full disk etcd takes no more writes'
    : 'Free some: below 5 % kubelet ends pods, and images are pulled again and again';
  return [free < minimumDisk || free < 0.1 * size ? warn('disk space', found, cure) : ok('disk space', found)];
};

/** The mount that a path lies in: the longest mount point above it, the last mounted of two at the same place. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  return mounts
    .filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`))
    .toSorted((a, b) => b.point.length - a.point.length || b.id - a.id)[0];
}

function noexec(folder: string, mounts: readonly Mount[]): Finding[] {
  const mount = mountOf(folder, mounts);
  if (mount?.options.includes('ro') === true)
    return [failed('folders', `${folder} is on ${mount.point}, which is read-only`, 'Choose another folder')];
  // Sockets and records do not mind; programs and the layers of images do.
  if (folder.includes('/run') || mount?.options.includes('noexec') !== true) return [];
  return [failed('folders', `${folder} is on ${mount.point}, which is mounted noexec`, `mount -o remount,exec ${mount.point}`)];
}

function socketPaths({ paths, config }: CheckInputs): Finding[] {
  const { kubeletRoot } = hostFolders(paths);
  const sockets = config['disable-agent']
    ? [{ path: paths.egressSocket, option: 'run-dir' }]
    : [
        { path: `${paths.agent.containerdSocket}.ttrpc`, option: 'run-dir' },
        { path: join(kubeletRoot, 'pod-resources', 'kubelet.sock'), option: 'data-dir' },
      ];
  return sockets
    .filter(({ path }) => Buffer.byteLength(path) > longestSocket)
    .map(({ path, option }) =>
      failed('folders', `${path} is too long for a socket (${longestSocket} bytes)`, `Choose a shorter ${option}`),
    );
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
