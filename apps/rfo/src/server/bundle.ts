import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';

/** The folder of binaries, images and manifests that belongs to this rfo. */
export type Bundle = { readonly dir: string; readonly kubernetes: string; readonly pauseImage: string };

/**
 * Finds the bundle: `RFO_BUNDLE_DIR`, else beside the installed program (`<bundle>/lib/rfo.mjs`), else the checkout's build.
 * @throws bundle-missing
 */
export async function findBundle(env: Readonly<Record<string, string | undefined>>): Promise<Bundle> {
  const beside = join(import.meta.dirname, '..');
  const checkout = join(import.meta.dirname, '../../../../.cache/dist');
  const candidates = env['RFO_BUNDLE_DIR'] === undefined ? [beside, checkout] : [env['RFO_BUNDLE_DIR']];
  for (const dir of candidates) {
    const bundle = await readBundle(dir);
    if (bundle !== undefined) return bundle;
  }
  throw fail('bundle-missing', { dir: candidates.join(' or ') });
}

async function readBundle(dir: string): Promise<Bundle | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, 'bundle.json'), 'utf8');
  } catch {
    return undefined;
  }
  const found = JSON.parse(text) as { versions: { kubernetes: string }; images: { pause: { reference: string } } };
  return { dir, kubernetes: found.versions.kubernetes, pauseImage: found.images.pause.reference };
}
