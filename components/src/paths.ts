import { join } from 'node:path';
import type { Architecture, Component } from './component.ts';
import { hostArchitecture } from './render-build.ts';

/** Root of the repository, unless a test gives its own. */
export const repositoryRoot = join(import.meta.dirname, '../..');

/** Everything that the builds write lies below `.cache` of the repository. */
export function cachePaths(root: string, arch: Architecture) {
  const cache = join(root, '.cache');
  const parts = join(cache, 'components', arch);
  return {
    /** `<part>/<key>/` with the outputs and record.json, `<part>/build.log`. */
    part: (name: string): string => join(parts, name),
    bundles: join(cache, 'bundles'),
    /** Link to the newest bundle of this architecture. */
    dist: join(cache, arch === hostArchitecture() ? 'dist' : `dist-${arch}`),
    /** Images that only the end-to-end tests use. */
    testImages: join(cache, 'images-test'),
    /** Images of our own programs. */
    programImages: join(cache, 'images-programs'),
    /** Packed charts of them. */
    charts: join(cache, 'charts'),
  };
}

/** The folder whose go.mod a component is built from. */
export function moduleFolder(root: string, component: Component): string {
  return join(root, 'components', component.sharesModuleOf ?? component.name);
}
