// `rfo --version`: this program, and the Kubernetes that it brings.
import { programVersion } from '../version.ts';

/**
 * `rfo version v0.1.0+k8s1.36.3` and a line for each part of the bundle.
 * @param versions of the bundle's parts, where there is one
 */
export function renderVersion(versions: Readonly<Record<string, string>> | undefined): string {
  const own = `rfo version v${programVersion}`;
  if (versions === undefined) return `${own}\n`;
  const { kubernetes, ...parts } = versions;
  const plain = (version: string): string => version.replace(/^v/, '');
  const lines = Object.entries(parts).map(([name, version]) => `  ${name} ${plain(version)}`);
  return [`${own}+k8s${plain(kubernetes ?? '')}`, `  node ${process.versions.node}`, ...lines, ''].join('\n');
}
