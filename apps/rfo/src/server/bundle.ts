/** The folder of binaries, images and manifests that belongs to this rfo, and what its bundle.json tells. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, systemCode } from '@rfo/foundation';
import type { Environment } from '@rfo/schema';
import { cloneRoot } from '../cli/config-file.ts';

export type Bundle = {
  readonly dir: string;
  /** Version of each part by its name, `kubernetes` among them. */
  readonly versions: Readonly<Record<string, string>> & { readonly kubernetes: string };
  readonly pauseImage: string;
};

/**
 * The bundle in `RFO_BUNDLE_DIR`; without that, the one that the program is installed in (`<bundle>/lib/rfo.mjs`), else what its clone has built.
 * @throws bundle-missing
 */
export async function requireBundle(env: Environment): Promise<Bundle> {
  const bundle = await findBundle(env);
  if (bundle === undefined) throw fail('bundle-missing', { dir: candidates(env).join(' or ') });
  return bundle;
}

/** The same; undefined where there is none. */
export async function findBundle(env: Environment): Promise<Bundle | undefined> {
  for (const dir of candidates(env)) {
    const bundle = await readBundle(dir);
    if (bundle !== undefined) return bundle;
  }
  return undefined;
}

function candidates(env: Environment): readonly string[] {
  const chosen = env.RFO_BUNDLE_DIR;
  if (chosen !== undefined && chosen !== '') return [chosen];
  const root = cloneRoot(import.meta.dirname);
  return [dirname(import.meta.dirname), ...(root === undefined ? [] : [join(root, '.cache', 'dist')])];
}

async function readBundle(dir: string): Promise<Bundle | undefined> {
  try {
    const found = JSON.parse(await readFile(join(dir, 'bundle.json'), 'utf8')) as {
      readonly versions: Bundle['versions'];
      readonly images: { readonly pause: { readonly reference: string } };
    };
    return { dir, versions: found.versions, pauseImage: found.images.pause.reference };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
