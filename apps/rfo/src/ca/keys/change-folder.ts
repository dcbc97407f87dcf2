/**
 * Changes several files of a folder as one: a crash at any moment leaves all of it or nothing. What is to be is written beside first (`.change`), and
 * taking it over can be repeated until it is done. Whoever opens the folder calls `completeChange` before he reads.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, systemCode, writeFileAtomic } from '@rfo/foundation';

export type FolderChange = {
  /** By their paths in the folder. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly remove?: readonly string[];
};

/**
 * Writes the files with mode 0600 and folders with 0700, and removes what is to go.
 * @throws ca-unwritable (then nothing was changed, or all will be by `completeChange`)
 */
export async function changeFolder(dir: string, { files, remove = [] }: FolderChange): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const draft = join(dir, `${draftPrefix}${randomBytes(4).toString('hex')}`);
    try {
      for (const [path, content] of files) await writeFileAtomic(join(draft, 'files', path), content, 0o600);
      await writeFileAtomic(join(draft, removals), JSON.stringify(remove), 0o600);
      await syncTree(draft);
      await rename(draft, join(dir, pending));
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw error;
    }
    await syncFolder(dir);
    await completeChange(dir);
  } catch (error) {
    throw unwritable(dir, error);
  }
}

/**
 * Finishes a change that was begun, and removes what one that never came to be has left; does nothing where there is none.
 * @throws ca-unwritable
 */
export async function completeChange(dir: string): Promise<void> {
  try {
    const entries = await namesOf(dir);
    const rests = entries.filter((entry) => entry.startsWith(donePrefix) || entry.startsWith(draftPrefix));
    for (const name of rests) if (await isOld(join(dir, name))) await rm(join(dir, name), { recursive: true, force: true });
    if (entries.includes(pending)) await takeOver(dir);
  } catch (error) {
    throw unwritable(dir, error);
  }
}

/** What the folder holds beside traces of changes: of those that never came to be, and what a file system of its own begins with. */
export async function contentsOf(dir: string): Promise<readonly string[]> {
  const entries = await namesOf(dir);
  return entries.filter((name) => !name.startsWith(draftPrefix) && !name.startsWith(donePrefix) && name !== 'lost+found');
}

const pending = '.change';
const draftPrefix = '.change-draft-';
const donePrefix = '.change-done-';
const removals = 'remove.json';

/** May be begun again after a crash at any line: it writes the same once more. */
async function takeOver(dir: string): Promise<void> {
  const from = join(dir, pending);
  const done = join(dir, `${donePrefix}${randomBytes(4).toString('hex')}`);
  try {
    for (const path of await filesBelow(join(from, 'files'))) {
      await writeFileAtomic(join(dir, path), await readFile(join(from, 'files', path)), 0o600);
      await syncFolder(dirname(join(dir, path)));
    }
    for (const path of JSON.parse(await readFile(join(from, removals), 'utf8')) as string[]) {
      await rm(join(dir, path), { recursive: true, force: true });
    }
    await syncFolder(dir);
    await rename(from, done);
  } catch (error) {
    // Somebody else took the same over at the same time, and was done first.
    if (systemCode(error) === 'ENOENT' && !(await exists(from))) return;
    throw error;
  }
  await rm(done, { recursive: true, force: true });
}

/** Not of somebody who is at work on it now. */
async function isOld(path: string): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < Date.now() - 60_000;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries.map(async (entry) => {
    const path = join(prefix, entry.name);
    return entry.isDirectory() ? await filesBelow(join(folder, entry.name), path) : [path];
  });
  return (await Promise.all(nested)).flat();
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) await syncFolder(join(entry.parentPath, entry.name));
  }
  await syncFolder(folder);
}

/** A name is on the disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

async function namesOf(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function unwritable(dir: string, error: unknown): unknown {
  return systemCode(error) === undefined ? error : fail('ca-unwritable', { dir, problem: (error as Error).message }, error);
}

/** Whether there is such a file. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}
