import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';

const binaries = join(import.meta.dirname, '../../../../.cache/dist/bin');

/** Everything that still runs; a test process that ends for any reason but SIGKILL takes it along. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts one of the built binaries, its output in `logFile`. Throws bundle-missing. */
export function startProgram(name: string, args: readonly string[], logFile: string): ChildProcess {
  const path = join(binaries, name);
  if (!existsSync(path)) throw fail('bundle-missing', { dir: binaries });
  const log = openSync(logFile, 'a');
  const child = spawn(path, args, { stdio: ['ignore', log, log], env: { PATH: process.env.PATH } });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** The end of a log, for the message of a start that failed. */
export function logTail(logFile: string): string {
  return readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
}
