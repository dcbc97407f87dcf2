import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '@rfo/foundation';
import { bundleNodeProgram } from '../bundle.ts';

/**
 * Bundles the node program into `<folder>/<hash of its content>`: the chunks that a running node still has to load stay where they are.
 * @returns the path of the entry
 */
export async function ensureNodeProgram(root: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const temporary = await mkdtemp(join(folder, 'new-'));
  try {
    const entry = await bundleNodeProgram(root, join(temporary, 'program'));
    const built = dirname(entry);
    const kept = join(folder, await hashFolder(built));
    await renameUnlessThere(built, kept);
    return entry.replace(built, kept);
  } finally {
    await rm(temporary, { recursive: true });
  }
}

async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
  }
}

async function hashFolder(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).sort()) hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}
