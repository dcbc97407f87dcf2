import { link, mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, type Life, readFileIfExists, systemCode, writeFileIfChanged } from '@rfo/foundation';
import { type Identity, identify, isSame } from '@rfo/process';
import type { Paths } from '../paths.ts';

/** Which RFO wrote a data directory last. */
export type DataVersion = { readonly rfo: string; readonly kubernetes: string };

/**
 * Takes the data directory for this process until its life ends; a lock whose owner died is taken over.
 * @throws data-in-use when another living rfo holds it
 */
export async function lockDataDirectory(paths: Paths, life: Life): Promise<void> {
  await mkdir(paths.data, { recursive: true, mode: 0o700 });
  const mine = JSON.stringify({ ...identify(process.pid) });
  for (;;) {
    if (await createLinked(paths.lockFile, mine)) {
      life.defer(() => rm(paths.lockFile, { force: true }));
      return;
    }
    await checkNotInUse(paths);
    // Renamed before it is removed: of two that find the same dead lock only one gets it, the other goes round again.
    const dead = `${paths.lockFile}.${process.pid}`;
    await rename(paths.lockFile, dead).then(
      () => rm(dead, { force: true }),
      (error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error;
      },
    );
  }
}

/**
 * Refuses a data directory that another rfo runs on, without taking it.
 * @throws data-in-use
 */
export async function checkNotInUse(paths: Paths): Promise<void> {
  const owner = await livingOwner(paths.lockFile);
  if (owner !== undefined) throw fail('data-in-use', { dir: paths.data, pid: owner });
}

/**
 * Refuses data that a newer version wrote, as Kubernetes and etcd cannot go back.
 * @throws data-newer
 */
export async function checkDataVersion(paths: Paths, own: DataVersion): Promise<void> {
  const text = await readFileIfExists(paths.versionFile);
  if (text === undefined) return;
  const found = parse<Partial<DataVersion>>(paths.versionFile, text);
  for (const part of ['kubernetes', 'rfo'] as const) {
    const was = found[part] ?? '0';
    if (compareVersions(was, own[part]) > 0) throw fail('data-newer', { dir: paths.data, part, found: was, own: own[part] });
  }
}

/** Notes the version, once the checks of the start are passed. */
export async function writeDataVersion(paths: Paths, own: DataVersion): Promise<void> {
  await writeFileIfChanged(paths.versionFile, `${JSON.stringify(own)}\n`, 0o600);
}

/** Points `<data>/bin` at the bundle's binaries; replaced in one step, so that running scripts never miss it. */
export async function linkBundle(paths: Paths, bundle: string): Promise<void> {
  const target = join(bundle, 'bin');
  const now = await readlink(paths.bin).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (now === target) return;
  const temporary = `${paths.bin}.new`;
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, paths.bin);
}

/** Negative, zero or positive as `a` is older than, the same as, or newer than `b`: numbers of `v1.36.3+rfo1` compared in order. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string): number[] => (version.match(/\d+/g) ?? []).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Creates a file with its content in one step; false when it exists. A reader never sees it empty. */
async function createLinked(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.new-${process.pid}`;
  await writeFile(temporary, content, { mode: 0o600 });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function parse<T>(file: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw fail('data-unreadable', { file }, error);
  }
}

/** The living rfo that holds this lock file, by its pid. */
export async function livingOwner(lockFile: string): Promise<number | undefined> {
  const text = await readFileIfExists(lockFile);
  if (text === undefined) return undefined;
  const owner = parse<Identity>(lockFile, text);
  return isSame(owner, identify(owner.pid)) ? owner.pid : undefined;
}
