import { posix } from 'node:path';
import type { TarEntry } from './tar.ts';

/** One path of an image: a file with its content, a link, or a directory that must exist (parents are made by themselves). */
export type FileEntry =
  | { readonly path: string; readonly content: Uint8Array | string; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | { readonly path: string; readonly target: string }
  | { readonly path: string; readonly directory: true; readonly mode?: number; readonly uid?: number; readonly gid?: number };

/**
 * Turns the files of an image into the entries of its layer: parents first, sorted, whatever order they were given in.
 * @param files absolute paths; modes default to 0644 for files and 0755 for directories, owners to root
 * @throws TypeError where a path is relative, not normalized, or given twice
 */
export function layerEntries(files: readonly FileEntry[]): TarEntry[] {
  const entries = new Map<string, TarEntry>();
  for (const file of files) {
    if (!file.path.startsWith('/') || posix.normalize(file.path) !== file.path)
      throw new TypeError(`not an absolute, plain path: ${file.path}`);
    const path = file.path.slice(1);
    if (entries.has(path)) throw new TypeError(`given twice: ${file.path}`);
    entries.set(path, entryOf(path, file));
  }
  for (const path of [...entries.keys()]) {
    for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) {
      if (!entries.has(parent)) entries.set(parent, { type: 'directory', path: parent, mode: 0o755 });
    }
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function entryOf(path: string, file: FileEntry): TarEntry {
  if ('target' in file) return { type: 'symlink', path, mode: 0o777, target: file.target };
  const owner = { uid: file.uid ?? 0, gid: file.gid ?? 0 };
  if ('directory' in file) return { type: 'directory', path, mode: file.mode ?? 0o755, ...owner };
  return {
    type: 'file',
    path,
    mode: file.mode ?? 0o644,
    ...owner,
    content: typeof file.content === 'string' ? Buffer.from(file.content) : file.content,
  };
}
