import { chmod, stat } from 'node:fs/promises';
import { writeFileIfChanged } from '@rfo/foundation';
import { hash, type ProcessSpec } from '@rfo/process';
import type { Rendered, RenderedFile } from './component.ts';

/** Writes the files that differ and gives the process, with the hash of the files it reads once. */
export async function applyRendered(rendered: Rendered): Promise<ProcessSpec> {
  await Promise.all(rendered.files.map(write));
  return processOf(rendered);
}

/** The process of a rendering, its `inputsHash` taking in every file that is not hot. */
export function processOf({ files, process }: Rendered): ProcessSpec {
  const cold = files.filter(({ hot }) => !hot).map(({ path, content }) => [path, content]);
  return { ...process, inputsHash: hash([process.inputsHash ?? '', cold]) };
}

async function write({ path, content, mode }: RenderedFile): Promise<void> {
  if (await writeFileIfChanged(path, content, mode)) return;
  if (((await stat(path)).mode & 0o7777) !== mode) await chmod(path, mode);
}
