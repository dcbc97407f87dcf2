import { join } from 'node:path';
import type { Host } from '@rfo/e2e';

const disk = '/var/lib/rancher/';

/** Where a file of a host's data lies on this machine. */
export function onMachine(host: Host, path: string): string {
  if (!path.startsWith(disk)) throw new Error(`${path} is not below ${disk}`);
  return join(host.dir, 'disk/var-lib-rancher', path.slice(disk.length));
}

/** The /proc of a host, as this machine can read it. */
export function procOf(host: Host): string {
  return `/proc/${host.init()}/root/proc`;
}
