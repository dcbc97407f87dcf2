import { type FSWatcher, watch } from 'node:fs';
import type { Life, Log } from '@rfo/foundation';
import { type ManifestFiles, scanManifests } from './scan-manifests.ts';

export type ManifestChange = { readonly changed: readonly string[]; readonly gone: readonly string[] };

/** Milliseconds of quiet after an event until we look: an editor makes several for one save. */
const quiet = 100;
/** Where there are no events to be had, milliseconds between looks. */
const lookEvery = 60_000;

/**
 * Knows the manifest files, and calls `onChange` with every later difference. Every folder has its own watch, whose events only say that
 * we have to look.
 * @returns what there is at the moment
 */
export async function watchManifests(input: {
  readonly folder: string;
  readonly onChange: (change: ManifestChange) => void;
  readonly life: Life;
  readonly log: Log;
}): Promise<() => ManifestFiles> {
  const { folder, onChange, life, log } = input;
  const watchers = new Map<string, FSWatcher>();
  let current: ManifestFiles | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  const lookIn = (ms: number): void => {
    clearTimeout(timer);
    if (!life.signal.aborted) timer = setTimeout(look, ms);
  };
  const look = (): void => {
    looking = lookOnce().catch((error: unknown) => {
      log.error('cannot read the manifests', { folder, error });
      // Its watches may belong to a folder that was replaced.
      closeAll();
      lookIn(lookEvery);
    });
  };

  /** True where a folder was not watched before: what happened in it until now went unseen. */
  const watchFolder = (path: string): boolean => {
    if (watchers.has(path) || life.signal.aborted) return false;
    try {
      const watcher = watch(path, { persistent: false }, () => lookIn(quiet));
      const forget = (): void => {
        watcher.close();
        watchers.delete(path);
        lookIn(quiet);
      };
      watcher.on('error', forget);
      watchers.set(path, watcher);
      return true;
    } catch (error) {
      log.warn('the kernel gives no events of this folder, so it is looked at once a minute', { path, error });
      lookIn(lookEvery);
      return false;
    }
  };

  const lookOnce = async (): Promise<void> => {
    let found = await scanManifests(folder);
    while (found.folders.map(watchFolder).some((isNew) => isNew)) found = await scanManifests(folder);
    for (const [path, watcher] of watchers) {
      if (found.folders.includes(path)) continue;
      watcher.close();
      watchers.delete(path);
    }
    const before = current;
    current = found;
    if (before === undefined) return;
    const change = compare(before, found);
    if (change.changed.length + change.gone.length > 0) onChange(change);
  };

  const closeAll = (): void => {
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };

  life.defer(async () => {
    clearTimeout(timer);
    await looking;
    closeAll();
  });
  await lookOnce();
  return () => current ?? { files: new Map(), skipped: new Set(), folders: [] };
}

/** Files that are new or different, and files that are neither there nor skipped any more. */
export function compare(before: ManifestFiles, after: ManifestFiles): ManifestChange {
  return {
    changed: [...after.files].filter(([path, stamp]) => before.files.get(path) !== stamp).map(([path]) => path),
    gone: [...before.files.keys(), ...before.skipped].filter((path) => !after.files.has(path) && !after.skipped.has(path)),
  };
}
