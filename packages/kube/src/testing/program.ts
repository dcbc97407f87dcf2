import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
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

/** TCP ports of 127.0.0.1 that nobody uses, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  return Promise.all(
    servers.map((server) => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      return new Promise<number>((resolve) => server.close(() => resolve(port)));
    }),
  );
}
