import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@rfo/foundation';

export type ManifestFiles = {
  /** Path → what changes when the file does. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths for which there is a `<path>.skip`: neither applied nor, if they are missing, taken for deleted. */
  readonly skipped: ReadonlySet<string>;
  readonly folders: readonly string[];
};

/** All `.yaml`, `.yml` and `.json` below the folder. Names that begin with a dot are left out, folders too. Throws where there is no such folder. */
export async function scanManifests(folder: string): Promise<ManifestFiles> {
  const files = new Map<string, string>();
  const skipped = new Set<string>();
  const folders: string[] = [];
  const walk = async (at: string): Promise<void> => {
    folders.push(at);
    const reading = readdir(at);
    // A folder that is not there at all (not mounted, say) is not one from which everything was deleted.
    const names = at === folder ? await reading : await orIfGone(reading, []);
    for (const name of names.sort()) {
      if (name.startsWith('.')) continue;
      const path = join(at, name);
      // Follows links: a manifest may be one.
      const found = await orIfGone(stat(path), undefined);
      if (found?.isDirectory()) await walk(path);
      else if (name.endsWith('.skip')) skipped.add(path.slice(0, -'.skip'.length));
      else if (found?.isFile() && /\.(yaml|yml|json)$/.test(name)) files.set(path, `${found.ino}:${found.mtimeMs}:${found.size}`);
    }
  };
  await walk(folder);
  for (const path of skipped) files.delete(path);
  return { files, skipped, folders };
}

/** What is removed while we look is as if it had never been there. */
async function orIfGone<T, U>(found: Promise<T>, instead: U): Promise<T | U> {
  try {
    return await found;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return instead;
    throw error;
  }
}
