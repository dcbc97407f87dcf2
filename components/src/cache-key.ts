import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Component } from './component.ts';
import { moduleFolder } from './paths.ts';
import type { BuildStep } from './render-build.ts';
import type { Toolchain } from './toolchain.ts';

export type KeyInput = {
  /** Name and content of every file that the build reads from this repository. */
  readonly files: Readonly<Record<string, string>>;
  readonly toolchain: Toolchain;
  readonly arch: string;
  /** The commands, rendered for no folder in particular. */
  readonly steps: readonly BuildStep[];
};

/** The name of a build's folder in the cache: 32 hex digits that change whenever the outputs might. The order of `files` does not matter. */
export function cacheKey(input: KeyInput): string {
  const files = Object.entries(input.files).sort(([a], [b]) => (a < b ? -1 : 1));
  const canonical = JSON.stringify([files, input.toolchain.go, input.toolchain.cc ?? '', input.arch, input.steps]);
  return createHash('sha256').update(canonical).digest('hex').slice(0, 32);
}

/** Reads go.mod, go.sum and the Go and TypeScript files that stand for a component. */
export async function keyFiles(root: string, component: Component): Promise<Record<string, string>> {
  const folder = moduleFolder(root, component);
  const own = join(root, 'components', component.name, 'component.ts');
  const names = (await readdir(folder)).filter((name) => /^go\.(mod|sum)$|\.go$/.test(name));
  const paths = [own, ...names.map((name) => join(folder, name))];
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path.slice(root.length), await readFile(path, 'utf8')])));
}
