/** Gathers what one of our programs needs to run without the repository: its sources without types, those it imports, and Node itself. */
import { existsSync } from 'node:fs';
import { glob, readFile, realpath } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join, relative } from 'node:path';
import { fail } from '@rfo/foundation';
import type { FileEntry } from '@rfo/oci';
import { runCommand } from './run-command.ts';
import { takeBuiltins } from './take-builtins.ts';

type Manifest = {
  readonly name: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
};

/** What only tests load. */
const testing = /(\.test|\.testing|\.scene)\.ts$|\/testing\/|\/test-support\.ts$/;

/** What packages carry for those who work on them. */
const forAuthors = /^(test|tests|docs|examples|benchmarks?|integration)\//;

/** A package: where it lies here, and in the image. */
type Place = { readonly folder: string; readonly place: string };

/**
 * The program below /app: its own sources in /app/src, packages of ours and of npm in /app/node_modules, and where two need different versions of a
 * third, each below the one that needs it, as npm has laid them out. Types are taken out, which leaves every line where it was; so the program need
 * not load what strips them, and Node's own modules are taken without what an import of them would load besides.
 * @param options.root of the repository, with its npm packages installed
 */
export async function collectProgram({ root, app }: { readonly root: string; readonly app: string }): Promise<readonly FileEntry[]> {
  const manifest = await readManifest(join(root, app));
  const files = await workspaceFiles(join(root, app), '/app', manifest);
  const seen = new Set<string>();
  /** @param homes whose node_modules are looked into, in this order */
  const add = async ({ dependencies = {} }: Manifest, homes: readonly Place[]): Promise<void> => {
    for (const name of Object.keys(dependencies)) {
      const { folder, place } = await findPackage(name, homes);
      if (seen.has(place)) continue;
      seen.add(place);
      const found = await readManifest(folder);
      const isOurs = !relative(root, folder).startsWith('node_modules');
      files.push(...(isOurs ? await workspaceFiles(folder, place, found) : await packageFiles(folder, place)));
      await add(found, [{ folder, place }, ...homes.filter((home) => place.startsWith(`${home.place}/`))]);
    }
  };
  await add(manifest, [{ folder: root, place: '/app' }]);
  return files;
}

async function findPackage(name: string, homes: readonly Place[]): Promise<Place> {
  for (const home of homes) {
    const folder = join(home.folder, 'node_modules', name);
    if (existsSync(folder)) return { folder: await realpath(folder), place: `${home.place}/node_modules/${name}` };
  }
  throw fail('internal', { what: `the npm package ${name} is not installed` });
}

/** Node and the libraries that it is linked with, each where it expects them; for the architecture of this host. */
export async function collectNode(node: string, signal: AbortSignal): Promise<readonly FileEntry[]> {
  const { output } = await runCommand({ command: 'ldd', args: [node], cwd: '/', signal });
  const libraries = [...output.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) => path ?? []);
  const entry = async (path: string, from: string): Promise<FileEntry> => ({ path, mode: 0o755, content: await readFile(from) });
  return Promise.all([entry('/usr/bin/node', node), ...libraries.map((path) => entry(path, path))]);
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

async function workspaceFiles(folder: string, place: string, { name, type, dependencies }: Manifest): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for await (const path of glob('src/**/*.ts', { cwd: folder })) {
    if (testing.test(`/${path}`)) continue;
    const content = asJavaScript(await readFile(join(folder, path), 'utf8'));
    files.push({ path: `${place}/${path.replace(/\.ts$/, '.js')}`, content });
  }
  const manifest = { name, type, dependencies, exports: './src/index.js' };
  return [...files, { path: `${place}/package.json`, content: JSON.stringify(manifest) }];
}

/** Our own imports name files with their ending. */
function asJavaScript(source: string): string {
  return takeBuiltins(stripTypeScriptTypes(source)).replace(/((?:from|import)\s*\(?\s*'\.{1,2}\/[^']+)\.ts'/g, "$1.js'");
}

async function packageFiles(folder: string, place: string): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for await (const path of glob('**/*{.js,.cjs,.mjs,.json,LICENSE,LICENSE.md}', { cwd: folder })) {
    if (path.startsWith('node_modules/') || forAuthors.test(path)) continue;
    files.push({ path: `${place}/${path}`, content: await readFile(join(folder, path)) });
  }
  return files;
}
