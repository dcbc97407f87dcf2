import { access, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import { shortName } from './addon-name.ts';

/** What `%{NAME}%` in a packaged manifest stands for. */
export type ManifestVariables = Readonly<Record<'CLUSTER_DNS' | 'CLUSTER_DOMAIN' | 'CLUSTER_CIDR' | 'SYSTEM_DEFAULT_REGISTRY', string>>;

/** Remembers which files of the manifest directory came from a bundle, so that those of an older bundle can be told from the user's. */
const listFile = '.packaged.json';

/**
 * Brings the bundle's manifests into the manifest directory: writes those that differ, removes those that an older bundle brought or
 * that are switched off. A file with a `.skip` beside it is left as it is.
 * @param input.disable short names, `rfo-coredns`
 * @returns names of the files written and removed
 * @throws bundle-missing, manifest-invalid for a variable without a value
 */
export async function stageManifests(input: {
  readonly from: string;
  readonly to: string;
  readonly disable: readonly string[];
  readonly variables: ManifestVariables;
}): Promise<{ readonly written: readonly string[]; readonly removed: readonly string[] }> {
  const { from, to, disable, variables } = input;
  const packaged = (await listBundle(from)).filter((name) => !disable.includes(shortName(name)));
  const list = join(to, listFile);
  const before = JSON.parse((await readFileIfExists(list)) ?? '[]') as readonly string[];
  // Both: a file that is about to be written is ours even if we end before we say so again.
  await writeFileIfChanged(list, JSON.stringify([...new Set([...before, ...packaged])].sort()), 0o600);
  const written: string[] = [];
  for (const name of packaged) {
    if (await exists(join(to, `${name}.skip`))) continue;
    const text = renderManifest(await readFile(join(from, name), 'utf8'), { variables, file: name });
    if (await writeFileIfChanged(join(to, name), text, 0o600)) written.push(name);
  }
  const removed = before.filter((name) => !packaged.includes(name));
  for (const name of removed) await rm(join(to, name), { force: true });
  await writeFileIfChanged(list, JSON.stringify(packaged), 0o600);
  return { written, removed };
}

/** Fills in the variables. */
export function renderManifest(
  text: string,
  { variables, file }: { readonly variables: ManifestVariables; readonly file: string },
): string {
  const values: Readonly<Record<string, string | undefined>> = variables;
  return text.replace(/%\{(\w+)\}%/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw fail('manifest-invalid', { file, problem: `there is no value for %{${name}}%` });
    return value;
  });
}

async function listBundle(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /\.(yaml|yml|json)$/.test(name)).sort();
  } catch {
    throw fail('bundle-missing', { dir: folder });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
