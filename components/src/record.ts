import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readFileIfExists } from '@rfo/foundation';
import type { BuildStep } from './render-build.ts';
import type { Toolchain } from './toolchain.ts';

/** What lies beside a build's outputs as record.json: where they come from, so that anyone can build and compare them. */
export type BuildRecord = {
  readonly format: 1;
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  readonly key: string;
  readonly toolchain: Toolchain;
  /** RFC 3339. */
  readonly builtAt: string;
  readonly seconds: number;
  readonly commands: readonly string[];
  readonly outputs: Readonly<Record<string, OutputRecord>>;
};

export type OutputRecord = {
  readonly sha256: string;
  readonly bytes: number;
  /** What Go linked into it: `path version sum`, the sums being those of go.sum. Empty for C programs. */
  readonly modules: readonly string[];
};

/** The record of a finished build, or undefined where there is none or an output is not as it was left. */
export async function readRecord(folder: string): Promise<BuildRecord | undefined> {
  const text = await readFileIfExists(join(folder, 'record.json'));
  if (text === undefined) return undefined;
  const record: BuildRecord = JSON.parse(text);
  for (const [file, { bytes }] of Object.entries(record.outputs)) {
    const found = await stat(join(folder, file)).catch(() => undefined);
    if (found?.size !== bytes) return undefined;
  }
  return record;
}

/** SHA-256 of a file as hex. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * Reads the modules from what `go version -m` prints of a binary: lines of `dep path version sum`; a replaced one has no sum, it
 * follows on a line of its own, `=> path version sum`.
 * @returns sorted `path version sum` lines, the replacement in place of what it replaces
 */
export function linkedModules(text: string): string[] {
  const modules: string[] = [];
  for (const line of text.split('\n')) {
    const [kind, path, version, sum] = line.trim().split(/\s+/);
    if (kind !== 'dep' && kind !== '=>' && kind !== 'mod') continue;
    if (path === undefined || version === undefined || sum === undefined) continue;
    modules.push(`${path} ${version} ${sum}`);
  }
  return modules.sort();
}

/** A command as one line for the record, with a placeholder in place of the folder that it wrote to. */
export function commandLine(step: BuildStep): string {
  const env = Object.entries(step.env).map(([name, value]) => `${name}=${value}`);
  return [...env, step.command, ...step.args.map((arg) => (/\s/.test(arg) ? `'${arg}'` : arg))].join(' ');
}
