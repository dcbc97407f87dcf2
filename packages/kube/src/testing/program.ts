import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithProcess, fail } from '@rfo/foundation';

const binaries = join(import.meta.dirname, '../../../../.cache/dist/bin');

/** Go's collector waits until there is this much: otherwise it takes a third of the processor time of a start. */
const collector = { GOGC: 'off', GOMEMLIMIT: '1GiB' };

/**
 * Starts one of the built binaries, its output in `<folder>/<name>.log`. Neither it nor the folder outlasts this process.
 * Throws bundle-missing.
 */
export function startProgram(name: string, args: readonly string[], folder: string): ChildProcess {
  const path = join(binaries, name);
  if (!existsSync(path)) throw fail('bundle-missing', { dir: binaries });
  const log = openSync(join(folder, `${name}.log`), 'a');
  const child = spawn(path, args, { stdio: ['ignore', log, log], env: { PATH: process.env.PATH, ...collector } });
  closeSync(log);
  endWithProcess(child, folder);
  return child;
}

export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** The end of its log, for the message of a start that failed. */
export function logTail(name: string, folder: string): string {
  return readFileSync(join(folder, `${name}.log`), 'utf8')
    .trim()
    .split('\n')
    .slice(-5)
    .join('\n');
}
