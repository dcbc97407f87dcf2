import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '@rfo/foundation';
import { type ComposedImage, composeImage } from '@rfo/oci';
import { type ImageRecipe, imageRegistry, programImages, testboxImage } from '../../images/index.ts';
import { collectNode, collectProgram } from './collect-program.ts';
import { cachePaths, repositoryRoot } from './paths.ts';
import { hostArchitecture } from './render-build.ts';

/** What is known of an image in a bundle: enough to tell whether a node has it already. */
export type ImageRecord = { readonly reference: string; readonly digest: string; readonly file: string };

/** Writes `<name>.tar` of a recipe into `out`. @param parts tells the folder and version of a component's outputs */
export async function writeImage(
  recipe: ImageRecipe,
  options: { arch: string; out: string; folder: string; version: string },
): Promise<ImageRecord> {
  const binaries = await Promise.all(
    recipe.binaries.map(async ({ path, output }) => ({ path, mode: 0o755, content: await readFile(join(options.folder, output)) })),
  );
  const image = composeImage({
    name: `${imageRegistry}/${recipe.name}`,
    tag: options.version.replace(/^v/, ''),
    arch: options.arch,
    files: [...recipe.files, ...binaries],
    config: recipe.config,
  });
  return await writeArchive(image, join(options.out, `${recipe.name}.tar`), `images/${recipe.name}.tar`);
}

/**
 * Composes the images that only the end-to-end tests use, of what the host has.
 * @returns the path of the folder with their archives
 * @throws tool-missing where the host has no static BusyBox
 */
export async function ensureTestImages(options: { readonly root?: string } = {}): Promise<string> {
  const arch = hostArchitecture();
  const out = cachePaths(options.root ?? repositoryRoot, arch).testImages;
  const content = await readFile(testboxImage.binary).catch(() => undefined);
  // A dynamic executable names its loader; in an image that has none it could not start.
  if (content === undefined || content.includes('/ld-linux')) {
    throw fail('tool-missing', {
      what: `a static ${testboxImage.binary}, which the tests' pods run`,
      cure: 'Install it: apt-get install busybox-static, or dnf install busybox',
    });
  }
  const { name, tag, files, config } = testboxImage;
  const image = composeImage({
    name: `${imageRegistry}/${name}`,
    tag,
    arch,
    files: [...files, { path: '/bin/busybox', mode: 0o755, content }],
    config,
  });
  await writeArchive(image, join(out, `${name}.tar`), `${name}.tar`);
  return out;
}

/**
 * Composes the images of our own programs, with the Node that runs this.
 * @returns the path of the folder with their archives
 */
export async function ensureProgramImages(options: { readonly root?: string; readonly signal: AbortSignal }): Promise<string> {
  const { root = repositoryRoot, signal } = options;
  const arch = hostArchitecture();
  const out = cachePaths(root, arch).programImages;
  const node = await collectNode(process.execPath, signal);
  for (const { name, app, files, config } of programImages) {
    const { version } = JSON.parse(await readFile(join(root, app, 'package.json'), 'utf8')) as { readonly version: string };
    const program = await collectProgram({ root, app });
    const image = composeImage({ name: `${imageRegistry}/${name}`, tag: version, arch, files: [...files, ...node, ...program], config });
    await writeArchive(image, join(out, `${name}.tar`), `${name}.tar`);
  }
  return out;
}

async function writeArchive(image: ComposedImage, path: string, file: string): Promise<ImageRecord> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}.tmp`, image.archive);
  await rename(`${path}.${process.pid}.tmp`, path);
  return { reference: image.reference, digest: image.digest, file };
}
