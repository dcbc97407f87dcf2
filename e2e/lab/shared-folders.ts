/** Which folders of this machine a host must see besides the root file system: an overlay over `/` does not show what is mounted below it. */

const diskTypes = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'f2fs',
  'zfs',
  'overlay',
  'virtiofs',
  '9p',
  'fuse.virtiofs',
  'nfs',
  'nfs4',
]);
/** Never shared: a host has its own. */
const privateFolders = ['/proc', '/sys', '/dev', '/run', '/tmp', '/var/tmp', '/var/lib/', '/var/log', '/boot'];

/**
 * @param mountinfo text of /proc/self/mountinfo
 * @param repository the checkout: always shared, so that what is edited here is seen there at once
 */
export function sharedFolders(mountinfo: string, repository: string): readonly string[] {
  const shared = new Set<string>();
  for (const line of mountinfo.split('\n')) {
    const [, , , , path = '', , ...rest] = line.split(' ');
    const type = rest[rest.indexOf('-') + 1] ?? '';
    if (!diskTypes.has(type) || path === '/') continue;
    if (privateFolders.some((folder) => path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`))) continue;
    shared.add(path);
  }
  shared.add(repository);
  // Parents before what lies below them.
  return [...shared].sort();
}
