import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { AddonRecord } from './addon-record.ts';

/** The file's name up to its first dot, as a name of Kubernetes: what `--disable` and `kubectl get addons` call it. */
export function shortName(file: string): string {
  const [name = ''] = basename(file).split('.');
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .slice(0, 200)
      .replace(/^-+|-+$/g, '') || 'manifest'
  );
}

/**
 * The name of the file's Addon: the one it has, else the short name; with a hash of the path where another file has that one.
 * An Addon whose file is gone gives its name away, and what it held with it: so a moved data directory takes its objects along.
 */
export function addonName(
  file: string,
  { records, files }: { readonly records: readonly AddonRecord[]; readonly files: ReadonlySet<string> },
): string {
  const own = records.find(({ source }) => source === file);
  if (own !== undefined) return own.name;
  const name = shortName(file);
  const holder = records.find((record) => record.name === name);
  if (holder === undefined || !files.has(holder.source)) return name;
  return `${name}-${createHash('sha256').update(file).digest('hex').slice(0, 6)}`;
}
