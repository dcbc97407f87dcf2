// Reads the configuration of a command from everywhere it can come from.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, type RfoError, systemCode } from '@rfo/foundation';
import type { Declaration } from './declaration.ts';
import type { Given, Reading } from './given.ts';
import type { Shape } from './option.ts';
import { parseArguments } from './parse-arguments.ts';
import { parseConfigFile } from './parse-config-file.ts';
import { type Environment, readEnvironment } from './read-environment.ts';
import { type Resolved, resolveConfig } from './resolve-config.ts';

export type Loaded<S extends Shape> = Resolved<S> & {
  /** Arguments that are no flags. */
  readonly operands: readonly string[];
  /** Files that were read, in order. */
  readonly files: readonly string[];
  readonly warnings: readonly string[];
};

/**
 * Reads files, environment and command line, decides between them and checks the outcome.
 * @param defaultFile the configuration file when neither `--config` nor its variable names one; it may be missing
 * @throws RfoError, or an AggregateError of several: everything that is wrong
 */
export async function loadConfig<S extends Shape>(
  declaration: Declaration<S>,
  input: { readonly argv: readonly string[]; readonly env: Environment; readonly defaultFile: string },
): Promise<Loaded<S>> {
  const fromArguments = parseArguments(declaration, input.argv);
  const fromEnvironment = readEnvironment(declaration, input.env);
  const named = chosenFile([...fromEnvironment.given, ...fromArguments.given]);
  const fromFiles = await readFiles(
    declaration,
    named === undefined ? { file: input.defaultFile, optional: true } : { file: named, optional: false },
  );
  const readings = [fromFiles, fromEnvironment, fromArguments];
  const resolved = resolveConfig(
    declaration,
    readings.flatMap((reading) => reading.given),
    readings.flatMap((reading) => reading.problems),
  );
  return { ...resolved, operands: fromArguments.operands, files: fromFiles.files, warnings: fromEnvironment.warnings };
}

/**
 * The same for a command that has no configuration file: command line and environment alone.
 * @throws RfoError, or an AggregateError of several: everything that is wrong
 */
export function loadArguments<S extends Shape>(
  declaration: Declaration<S>,
  input: { readonly argv: readonly string[]; readonly env: Environment },
): Omit<Loaded<S>, 'files'> {
  const fromArguments = parseArguments(declaration, input.argv);
  const fromEnvironment = readEnvironment(declaration, input.env);
  const readings = [fromEnvironment, fromArguments];
  const resolved = resolveConfig(
    declaration,
    readings.flatMap((reading) => reading.given),
    readings.flatMap((reading) => reading.problems),
  );
  return { ...resolved, operands: fromArguments.operands, warnings: fromEnvironment.warnings };
}

function chosenFile(given: readonly Given[]): string | undefined {
  const file = given.findLast((entry) => entry.key === 'config')?.items.at(-1)?.value;
  return file === undefined ? undefined : String(file);
}

async function readFiles<S extends Shape>(
  declaration: Declaration<S>,
  { file, optional }: { readonly file: string; readonly optional: boolean },
): Promise<Reading & { readonly files: readonly string[] }> {
  const given: Given[] = [];
  const problems: RfoError[] = [];
  const files: string[] = [];
  const remote = /^https?:\/\//.test(file);
  const dropIns = remote ? [] : await listDropIns(`${file}.d`);
  for (const path of [file, ...dropIns]) {
    const text = remote ? await download(file) : await readText(path);
    if (text === undefined) {
      // A drop-in stands in for the main file; without either, a file that was asked for is missing.
      if (path !== file || (!optional && dropIns.length === 0))
        problems.push(fail('config-unreadable', { file: path, problem: 'there is no such file' }));
      continue;
    }
    files.push(path);
    const reading = await parseConfigFile(declaration, { text, file: path });
    given.push(...reading.given);
    problems.push(...reading.problems);
  }
  return { given, problems, files };
}

/** `*.yaml` and `*.yml` of the folder in alphabetical order. */
async function listDropIns(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw unreadable(folder, error);
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
}

async function download(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`the server answers ${response.status} ${response.statusText}`);
    return await response.text();
  } catch (error) {
    throw unreadable(url, error);
  }
}

function unreadable(file: string, error: unknown): RfoError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return fail('config-unreadable', { file, problem: cause instanceof Error ? cause.message : String(cause) }, error);
}
