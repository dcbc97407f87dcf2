import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** npm passes on a Ctrl-C that the terminal has already delivered: signals this close together (ms) are one wish. */
const sameWish = 1000;

/**
 * Runs a program in the foreground until it ends, with this process's terminal. Each wish to end, whatever signal it came as, is passed to
 * it once, as the SIGINT that a Ctrl-C is; its session is its own, so that the terminal does not deliver a second one.
 * @returns its exit status as a shell gives it: 128 and the signal's number for a killed one
 */
export function runForeground(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  let last = Number.NEGATIVE_INFINITY;
  const forward = (): void => {
    if (performance.now() - last > sameWish) child.kill('SIGINT');
    last = performance.now();
  };
  for (const signal of forwarded) process.on(signal, forward);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  });
  return ended.finally(() => {
    for (const signal of forwarded) process.off(signal, forward);
  });
}
