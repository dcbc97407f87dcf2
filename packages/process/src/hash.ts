import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { fail } from '@rfo/foundation';
import { reasonOf } from './reason.ts';
import type { ProcessSpec } from './spec.ts';

/** Hash of everything that makes a running process the wanted one: its binary, arguments, environment, folder and the files it has read. */
export async function hashSpec(spec: ProcessSpec): Promise<string> {
  const env = Object.entries(spec.env).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash([await binaryIdentity(spec), spec.path, spec.args, env, spec.cwd ?? '/', spec.inputsHash ?? '']);
}

/** Names the file behind the path without reading its hundred megabytes: an upgrade changes the path, a rebuild size or time. */
export async function binaryIdentity(spec: Pick<ProcessSpec, 'name' | 'path'>): Promise<string> {
  try {
    const path = await realpath(spec.path);
    const { size, mtimeMs } = await stat(path);
    return `${path} ${size} ${mtimeMs}`;
  } catch (error) {
    throw fail('process-not-started', { name: spec.name, path: spec.path, problem: reasonOf(error) }, error);
  }
}

/** SHA-256 of a value's JSON, in hex. */
export function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
