/** Packs the chart of the manager, as `helm package` does but with nothing in it of when and by whom that was done: same files, same archive. */
import { glob, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fail } from '@rfo/foundation';
import { type TarEntry, tar } from '@rfo/oci';
import { cachePaths, repositoryRoot } from './paths.ts';
import { hostArchitecture } from './render-build.ts';

const source = 'apps/manager/chart';

/**
 * Writes `<name>-<version>.tgz`; gives its path. Not compressed, for what zlib makes of the same bytes differs between versions and processors.
 * Format: https://helm.sh/docs/topics/charts, a gzipped tar with one folder of the chart's name.
 */
export async function ensureChart({ root = repositoryRoot }: { readonly root?: string } = {}): Promise<string> {
  const folder = join(root, source);
  const { name, version } = readIdentity(await readFile(join(folder, 'Chart.yaml'), 'utf8'));
  const paths = (await Array.fromAsync(glob('{.helmignore,**/*.{yaml,json,tpl,txt}}', { cwd: folder }))).sort();
  const entries = await Promise.all(
    paths.map(
      async (path): Promise<TarEntry> => ({
        ...{ type: 'file', path: `${name}/${path}`, mode: 0o644 },
        content: await readFile(join(folder, path)),
      }),
    ),
  );
  const archive = gzipSync(Buffer.concat(tar(orderOf(entries, `${name}/Chart.yaml`))), { level: 0 });
  const out = join(cachePaths(root, hostArchitecture()).charts, `${name}-${version}.tgz`);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(`${out}.${process.pid}.tmp`, archive);
  await rename(`${out}.${process.pid}.tmp`, out);
  return out;
}

/** Of a chart's own file, which is plain enough for it. */
function readIdentity(text: string): { readonly name: string; readonly version: string } {
  const [name, version] = ['name', 'version'].map((key) => new RegExp(`^${key}: (\\S+)$`, 'm').exec(text)?.[1]);
  if (name === undefined || version === undefined) throw fail('internal', { what: `${source}/Chart.yaml tells no name or version` });
  return { name, version };
}

/** What reads the first file alone learns what chart it is. */
function orderOf(entries: readonly TarEntry[], first: string): readonly TarEntry[] {
  return [...entries.filter(({ path }) => path === first), ...entries.filter(({ path }) => path !== first)];
}
