/**
 * Composes the bundle: the folder that a node is started from. It is made beside the old one and a link is swapped, so that a running
 * node never sees half of it.
 */
import { createHash } from 'node:crypto';
import { cp, link, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fail, readFileIfExists, systemCode } from '@rfo/foundation';
import { bundledImages } from '../../images/index.ts';
import { type Component, isGo } from './component.ts';
import { type ImageRecord, writeImage } from './compose-images.ts';
import { cachePaths } from './paths.ts';
import type { Plan } from './plan.ts';
import type { BuildRecord } from './record.ts';
import { sha256File } from './record.ts';

/** bundle.json: what a bundle consists of. */
export type Bundle = {
  readonly format: 1;
  /** Changes whenever any file does. */
  readonly id: string;
  /** Hash of what it was made from; a bundle made from the same is not made again. */
  readonly inputs: string;
  readonly arch: string;
  readonly minor: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly images: Readonly<Record<string, ImageRecord>>;
  /** SHA-256 of each file by its path in the bundle. */
  readonly files: Readonly<Record<string, string>>;
  /** Target of each link by its path. */
  readonly links: Readonly<Record<string, string>>;
};

export type BuiltPart = { readonly plan: Plan; readonly record: BuildRecord };
export type ComposedBundle = { readonly path: string; readonly id: string; readonly changed: boolean };

/** Makes the bundle of these parts, or finds that it is there. `path` is the link that always leads to the newest. */
export async function composeBundle(parts: readonly BuiltPart[], root: string): Promise<ComposedBundle> {
  const [first] = parts;
  if (first === undefined) throw new TypeError('a bundle of no parts');
  const paths = cachePaths(root, first.plan.arch);
  const inputs = await hashInputs(parts, root);
  const current = await readBundle(paths.dist);
  if (current?.inputs === inputs) return { path: paths.dist, id: current.id, changed: false };

  const temporary = join(paths.bundles, `${process.pid}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  try {
    for (const folder of ['bin', 'images', 'manifests']) await mkdir(join(temporary, folder), { recursive: true });
    const bundle = await fill({ parts, root, inputs, out: temporary });
    await writeFile(join(temporary, 'bundle.json'), `${JSON.stringify(bundle, undefined, 2)}\n`);
    await symlink('../../images-test', join(temporary, 'images-test'));
    const folder = join(paths.bundles, `${bundle.arch}-${bundle.id}`);
    if ((await readBundle(folder))?.id === bundle.id) {
      // Made from other sources but the same to the last bit: the folder stays, for something may run from it.
      await rename(join(temporary, 'bundle.json'), join(folder, 'bundle.json'));
    } else {
      await rm(folder, { recursive: true, force: true });
      await rename(temporary, folder);
    }
    await switchTo(paths.dist, folder);
    return { path: paths.dist, id: bundle.id, changed: true };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** bundle.json of a bundle, or undefined where there is none. */
export async function readBundle(path: string): Promise<Bundle | undefined> {
  const text = await readFileIfExists(join(path, 'bundle.json'));
  return text === undefined ? undefined : JSON.parse(text);
}

type Filling = { readonly parts: readonly BuiltPart[]; readonly root: string; readonly inputs: string; readonly out: string };

async function fill({ parts, root, inputs, out }: Filling): Promise<Bundle> {
  const files: Record<string, string> = {};
  const links: Record<string, string> = {};
  for (const { plan, record } of parts.filter((part) => part.plan.component.goesTo === 'bin')) {
    for (const output of plan.component.outputs) {
      await place(join(plan.folder, output.file), join(out, 'bin', output.file));
      files[`bin/${output.file}`] = record.outputs[output.file]?.sha256 ?? '';
    }
    Object.assign(links, linksOf(plan.component));
  }
  for (const [path, target] of Object.entries(links)) await symlink(target, join(out, path));

  const images: Record<string, ImageRecord> = {};
  for (const recipe of bundledImages) {
    const part = parts.find(({ plan }) => plan.component.name === recipe.name);
    if (part === undefined) throw fail('internal', { what: `no component makes the image ${recipe.name}` });
    const { arch, folder, version } = part.plan;
    const image = await writeImage(recipe, { arch, out: join(out, 'images'), folder, version });
    images[recipe.name] = image;
    files[image.file] = await sha256File(join(out, image.file));
  }
  for (const path of await copyManifests(join(root, 'charts'), join(out, 'manifests'))) {
    files[`manifests/${path}`] = await sha256File(join(out, 'manifests', path));
  }

  const versions = Object.fromEntries(parts.map(({ plan }) => [plan.component.name, plan.version]));
  const { arch = '', minor = '' } = parts[0]?.plan ?? {};
  const content = { arch, minor, versions, images, files, links };
  return { format: 1, id: digest(JSON.stringify(content)).slice(0, 16), inputs, ...content };
}

function linksOf(component: Component): Record<string, string> {
  const names = component.outputs.flatMap((output) =>
    isGo(output) ? (output.links ?? []).map((name) => [`bin/${name}`, output.file]) : [],
  );
  return Object.fromEntries(names);
}

/** A hard link costs no disk; across filesystems it must be a copy. */
async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemCode(error) !== 'EXDEV') throw error;
    await cp(from, to);
  }
}

async function copyManifests(from: string, to: string): Promise<string[]> {
  const paths = await listFiles(from);
  for (const path of paths) await cp(join(from, path), join(to, path));
  return paths;
}

/** Everything that the bundle depends on: the parts' keys, the manifests, and the code that composes it. */
async function hashInputs(parts: readonly BuiltPart[], root: string): Promise<string> {
  const keys = parts.map(({ plan }) => `${plan.component.name} ${plan.key} ${plan.version}`);
  const own = (await listFiles(join(root, 'components/src')))
    .filter((path) => path.startsWith('compose-'))
    .map((path) => `components/src/${path}`);
  const folders = await Promise.all(
    ['charts', 'images', 'packages/oci/src'].map(async (folder) =>
      (await listFiles(join(root, folder))).map((path) => `${folder}/${path}`),
    ),
  );
  const contents = await Promise.all(
    [...own, ...folders.flat()].map(async (path) => `${path} ${digest(await readFile(join(root, path)))}`),
  );
  return digest([...keys, ...contents].join('\n'));
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function digest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Swaps the link, and removes all bundles but this one and the one before, which a node may still run from. */
async function switchTo(dist: string, folder: string): Promise<void> {
  const before = await readlink(dist).catch(() => undefined);
  const temporary = `${dist}.${process.pid}.tmp`;
  await symlink(join('bundles', basename(folder)), temporary);
  await rename(temporary, dist);
  const prefix = basename(folder).replace(/-.*$/, '-');
  const keep = [basename(folder), before === undefined ? '' : basename(before)];
  for (const name of await readdir(join(folder, '..'))) {
    if (name.startsWith(prefix) && !keep.includes(name)) await rm(join(folder, '..', name), { recursive: true, force: true });
  }
}
