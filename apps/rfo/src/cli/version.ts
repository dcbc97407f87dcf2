// `rfo --version`: this program, and the Kubernetes that it brings.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '@rfo/foundation';
import { programVersion } from '../version.ts';
import { cloneRoot } from './config-file.ts';

type Bundle = { readonly versions: Readonly<Record<string, string>> };

/** `rfo version v0.1.0+k8s1.36.3` and, where the bundle is there, a line for each part of it. */
export function renderVersion(bundle: Bundle | undefined): string {
  const own = `rfo version v${programVersion}`;
  if (bundle === undefined) return `${own}\n`;
  const { kubernetes, ...parts } = bundle.versions;
  const plain = (version: string): string => version.replace(/^v/, '');
  const lines = Object.entries(parts).map(([name, version]) => `  ${name} ${plain(version)}`);
  return [`${own}+k8s${plain(kubernetes ?? '')}`, `  node ${process.versions.node}`, ...lines, ''].join('\n');
}

/** bundle.json of the folder that the program is installed in, or of the clone that it lies in; undefined where neither has one. */
export function findBundle(from: string = import.meta.dirname): Bundle | undefined {
  const root = cloneRoot(from);
  const files = [join(dirname(from), 'bundle.json'), ...(root === undefined ? [] : [join(root, '.cache', 'dist', 'bundle.json')])];
  for (const file of files) {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  return undefined;
}
