/** Imports image archives into containerd: the bundle's, and what an administrator puts into `agent/images`, also while the node runs. */

import { spawn } from 'node:child_process';
import { createReadStream, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fail, type Life, type Log, readFileIfExists, systemCode, writeFileAtomic } from '@rfo/foundation';
import { systemImage } from './system-image.ts';

export type ImageStore = {
  /** The ctr program. */
  readonly ctr: string;
  readonly socket: string;
  readonly snapshotter: string;
  /** Images of the system are kept under this registry's name too, so that pods find them without asking it. */
  readonly registry?: string | undefined;
  /** File that remembers what was imported from which archive. */
  readonly cache: string;
};
export type Archive = { readonly path: string; readonly size: number; readonly mtimeMs: number };
/** By path of the archive: its size and time when it was imported, and the images with their digests that came of it. */
export type ImageCache = Readonly<
  Record<string, { readonly size: number; readonly mtimeMs: number; readonly images: Readonly<Record<string, string>> }>
>;

/**
 * Archives that must be imported: new or changed ones, and those of which an image is no longer in containerd (its data was wiped).
 * @param state.present digest by image name, as containerd has them
 * @param state.registry whose name the images of the system must be there under, too
 */
export function archivesToImport(
  archives: readonly Archive[],
  state: { readonly cache: ImageCache; readonly present: ReadonlyMap<string, string>; readonly registry?: string | undefined },
): Archive[] {
  const { cache, present, registry } = state;
  return archives.filter(({ path, size, mtimeMs }) => {
    const known = cache[path];
    if (known === undefined || known.size !== size || known.mtimeMs !== mtimeMs) return true;
    return Object.entries(known.images).some(
      ([name, digest]) => present.get(name) !== digest || present.get(systemImage(name, registry)) !== digest,
    );
  });
}

/**
 * Imports what is new in the folders and pins the images so that kubelet's garbage collection leaves them.
 * @returns how many archives were imported
 * @throws image-import-failed
 */
export async function importImages(store: ImageStore, folders: readonly string[], log: Log): Promise<number> {
  const [archives, cache] = await Promise.all([listArchives(folders), readCache(store.cache)]);
  if (archives.length === 0) return 0;
  // What was never imported is not looked for: on a first start that would only take time.
  const present = Object.keys(cache).length === 0 ? new Map<string, string>() : await listImages(store);
  const due = archivesToImport(archives, { cache, present, registry: store.registry });
  if (due.length === 0) return 0;
  const since = performance.now();
  const added: [string, ImageCache[string]][] = [];
  // One after the other: side by side they would take all processors from the API server, which starts at the same time.
  for (const { path, size, mtimeMs } of due) added.push([path, { size, mtimeMs, images: await importArchive(store, path) }]);
  const kept = Object.entries(cache).filter(([path]) => archives.some((archive) => archive.path === path));
  await writeFileAtomic(store.cache, `${JSON.stringify(Object.fromEntries([...kept, ...added]))}\n`, 0o600);
  const names = added.flatMap(([, { images }]) => Object.keys(images));
  log.info('images imported', { archives: due.length, images: names.join(','), ms: Math.round(performance.now() - since) });
  return due.length;
}

/**
 * Imports what appears in a folder later; an archive that cannot be read is reported and left until it changes.
 * @param folders all folders of archives, as `importImages` was given them
 * @param options.folder the one that is watched
 */
export function watchImages(store: ImageStore, folders: readonly string[], options: { folder: string; life: Life; log: Log }): void {
  const { folder, life, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  const run = (): void => {
    running = running.then(() => importImages(store, folders, log)).catch((error: unknown) => log.error('images not imported', { error }));
  };
  const watcher = watch(folder, (_, name) => {
    if (name === null || !isArchive(name)) return;
    // A copy in progress writes all the time: it is complete when nothing more comes for a second.
    clearTimeout(timer);
    timer = setTimeout(run, 1000);
  });
  life.defer(async () => {
    watcher.close();
    clearTimeout(timer);
    await running;
  });
}

/** Digest by name of the images in containerd. */
async function listImages(store: ImageStore): Promise<Map<string, string>> {
  const { stdout } = await ctr(store, ['images', 'ls']);
  const rows = stdout.split('\n').slice(1);
  return new Map(
    rows
      .map((row) => row.split(/\s+/))
      .filter(([name]) => name !== '' && name !== undefined)
      .map(([name = '', , digest = '']) => [name, digest]),
  );
}

async function listArchives(folders: readonly string[]): Promise<Archive[]> {
  const names = await Promise.all(folders.map(async (folder) => (await list(folder)).filter(isArchive).map((name) => join(folder, name))));
  return Promise.all(
    names.flat().map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return { path, size, mtimeMs };
    }),
  );
}

/** Digest by name of the images in the archive. `--local` is more than twice as fast as containerd's transfer service here. */
async function importArchive(store: ImageStore, path: string): Promise<Record<string, string>> {
  const labels = ['--label', 'io.cri-containerd.pinned=pinned', '--label', 'io.cri-containerd.image=managed'];
  const command = ['images', 'import', '--local', '--snapshotter', store.snapshotter, ...labels];
  // What is not compressed it reads itself: through us it would cost a node's start a quarter of a second of a processor.
  const { stdout } = path.endsWith('.tar') ? await ctr(store, [...command, path]) : await ctr(store, [...command, '-'], path);
  const images = importedImages(stdout);
  for (const name of Object.keys(images)) {
    const alias = systemImage(name, store.registry);
    // `--local` carries the labels over, without which the image would not be pinned under this name.
    if (alias !== name) await ctr(store, ['images', 'tag', '--local', '--force', name, alias]);
  }
  return images;
}

/** Digest by name from the output of `ctr images import --local`: lines `unpacking <name> (<digest>)...done`. */
export function importedImages(output: string): Record<string, string> {
  const found = output.split('\n').map((line) => /^unpacking (\S+) \((sha256:[0-9a-f]+)\)/.exec(line));
  return Object.fromEntries(found.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const])));
}

async function ctr(store: ImageStore, args: readonly string[], archive?: string): Promise<{ stdout: string }> {
  const child = spawn(store.ctr, ['--address', store.socket, '--namespace', 'k8s.io', ...args], { env: { PATH: process.env.PATH } });
  const { promise: ended, resolve } = Promise.withResolvers<string | undefined>();
  child.once('error', (error) => resolve(error.message));
  child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  const [stdout, stderr, status, unread] = await Promise.all([text(child.stdout), text(child.stderr), ended, feed(archive, child.stdin)]);
  const problem = status === undefined ? unread : stderr.trim() || status;
  if (problem !== undefined) throw fail('image-import-failed', { archive: archive ?? `ctr ${args.join(' ')}`, problem });
  return { stdout };
}

/** Unpacks the archive into a program's input. Tells why it could not be read; that the program took less is its own business. */
async function feed(path: string | undefined, input: Writable): Promise<string | undefined> {
  if (path === undefined) {
    input.end();
    return undefined;
  }
  // Only here: most archives are not compressed, and it takes memory for as long as the program runs.
  const { createGunzip, createZstdDecompress } = await import('node:zlib');
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    await pipeline(file, path.endsWith('gz') ? createGunzip() : createZstdDecompress(), input);
    return undefined;
  } catch (error) {
    if (systemCode(error) === 'EPIPE' || systemCode(error) === 'ERR_STREAM_PREMATURE_CLOSE') return undefined;
    return error instanceof Error ? error.message : String(error);
  }
}

function isArchive(name: string): boolean {
  return /\.(tar|tar\.gz|tgz|tar\.zst|tzst)$/.test(name) && !name.startsWith('.');
}

async function readCache(path: string): Promise<ImageCache> {
  const found = await readFileIfExists(path);
  return found === undefined ? {} : (JSON.parse(found) as ImageCache);
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
}
