// Which configuration file a command reads when none is named.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Environment } from '@rfo/schema';

const systemFile = '/etc/rancher/rfo/config.yaml';

/**
 * The system's file; but within a clone of the repository on a host that has no settings of its own, the one that `npm start` writes, so that
 * `npx rfo kubectl` finds the node that runs there.
 * @param from folder of the program
 */
export function defaultConfigFile(env: Environment, from: string = import.meta.dirname): string {
  const chosen = (env.RFO_DATA_DIR ?? '') !== '' || existsSync(systemFile) || existsSync(`${systemFile}.d`);
  return (chosen ? undefined : findInClone(from)) ?? systemFile;
}

/** `.rfo/config.yaml` of the clone that the folder lies in. */
export function findInClone(from: string): string | undefined {
  const root = cloneRoot(from);
  const file = root === undefined ? undefined : join(root, '.rfo', 'config.yaml');
  return file !== undefined && existsSync(file) ? file : undefined;
}

/** The root of the clone that the folder lies in: what holds this program's own source. */
export function cloneRoot(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'apps', 'rfo', 'src', 'main.ts'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
