/** Puts a host into the folder of the seed server. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@rfo/foundation';
import { renderMetaData } from './cloud-init.ts';
import type { UserDataFormat } from './render.ts';
import type { SeedAccess } from './seed-host.ts';

const fileOf: Readonly<Record<UserDataFormat, string>> = {
  'cloud-init': 'user-data',
  'autoinstall': 'user-data',
  'ignition': 'config.ign',
  'script': 'join.sh',
};

/**
 * In the place of what was there for this host, who has held it and whether it had joined too: it may join anew.
 * @param host `id` as `seedFolder` gives it
 */
export async function writeSeed(
  dir: string,
  host: {
    readonly id: string;
    readonly nodeName: string | undefined;
    readonly format: UserDataFormat;
    readonly userData: string;
    readonly access: SeedAccess;
  },
): Promise<string> {
  const { id, nodeName, format, userData, access } = host;
  const folder = join(dir, 'hosts', id);
  const file = join(folder, fileOf[format]);
  // First what binds it, and the secret last: nobody gets a new secret by an old state.
  for (const name of ['state.json', 'report.json', ...Object.values(fileOf)]) await rm(join(folder, name), { force: true });
  await writeFileAtomic(join(folder, 'access.json'), `${JSON.stringify(access)}\n`, 0o600);
  await writeFileAtomic(join(folder, 'meta-data'), renderMetaData({ id, nodeName, userData }), 0o600);
  await writeFileAtomic(file, userData, 0o600);
  return file;
}
