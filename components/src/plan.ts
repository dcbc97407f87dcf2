import { join } from 'node:path';
import { type Minor, versions } from '../versions.ts';
import { cacheKey, keyFiles } from './cache-key.ts';
import type { Architecture, Component } from './component.ts';
import { cachePaths, moduleFolder } from './paths.ts';
import { type BuildRecord, readRecord } from './record.ts';
import { renderBuild } from './render-build.ts';
import { findToolchain, type Toolchain } from './toolchain.ts';

/** What is to be done for one component: nothing where the record is there. */
export type Plan = {
  readonly component: Component;
  readonly version: string;
  readonly minor: Minor;
  readonly arch: Architecture;
  readonly toolchain: Toolchain;
  readonly key: string;
  /** Where go.mod lies. */
  readonly source: string;
  /** Where the outputs lie, or will. */
  readonly folder: string;
  readonly log: string;
  readonly record: BuildRecord | undefined;
};

export type PlanOptions = { readonly root: string; readonly arch: Architecture; readonly minor: Minor; readonly signal: AbortSignal };

/** Finds out whether a component is built as its files say now. Throws tool-missing where the compiler is. */
export async function planComponent(component: Component, options: PlanOptions): Promise<Plan> {
  const { root, arch, minor, signal } = options;
  const source = moduleFolder(root, component);
  const toolchain = await findToolchain(component, { folder: source, arch, signal });
  const steps = renderBuild({ component, arch, minor, out: '', sources: '', parallel: 0 });
  const key = cacheKey({ files: await keyFiles(root, component), toolchain, arch, steps });
  const part = cachePaths(root, arch).part(component.name);
  const folder = join(part, key);
  const version = versions[minor][component.pin];
  return {
    component,
    version,
    minor,
    arch,
    toolchain,
    key,
    source,
    folder,
    log: join(part, 'build.log'),
    record: await readRecord(folder),
  };
}
