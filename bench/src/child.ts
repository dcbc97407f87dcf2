/** Programs of the benchmark beside this one. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Life } from '@rfo/foundation';

/**
 * Starts a module as a process that ends with the life, and may be told and tell by messages.
 * @param flags of its Node, beside those of this one
 */
export function forkFor(module: URL | string, life: Life, flags: readonly string[] = []): ChildProcess {
  const child = fork(module, { execArgv: [...process.execArgv, ...flags] });
  life.defer(async () => {
    const exited = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await exited;
  });
  return child;
}
