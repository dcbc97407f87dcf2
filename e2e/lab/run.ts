/** Runs one command to its end, bounded in time: what everything in the lab is made of. */
import { spawn } from 'node:child_process';
import { fail } from '@rfo/foundation';

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which the command and its children are killed and the call throws. Default 60 s. */
  readonly timeout?: number;
  /** What the command reads; nothing by default. */
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
};
export type RunResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/**
 * Runs `command` (no shell) and gives its exit code and output; a code other than 0 is a result, not an error.
 * A command ended by a signal gives 128 + the signal's usual number, as a shell does.
 * @throws `timeout` when it takes too long, the reason of `signal` when that aborts
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeout = 60_000, env = baseEnvironment(), input, signal } = options;
  signal?.throwIfAborted();
  const [file = '', ...args] = command;
  // A process group of its own, so that a time-out reaches what the command started.
  const child = spawn(file, args, { detached: true, env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // The command may end without reading all its input: its exit code tells, not the broken pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8');
  const stop = new AbortController();
  const timer = setTimeout(() => {
    const cure = `The last it said: ${lastLines(text(stdout) + text(stderr), 20) || 'nothing'}`;
    stop.abort(fail('timeout', { what: command.join(' '), seconds: timeout / 1000, cure }));
  }, timeout);
  const abort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  stop.signal.addEventListener('abort', () => killGroup(child.pid), { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exit, ended) => resolve(exit ?? 128 + signalNumber(ended)));
    });
    stop.signal.throwIfAborted();
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** Like `run`, but a code other than 0 is an error; gives what the command printed on stdout. */
export async function must(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, options);
  if (result.code !== 0) throw commandFailed(command, result);
  return result.stdout;
}

export function commandFailed(command: readonly string[], result: RunResult): Error {
  const output = `:\n${lastLines(result.stderr + result.stdout, 30)}`;
  return fail('process-failed', { name: command.join(' '), status: `exit code ${result.code}`, output, log: 'the lines above' });
}

/** The few variables a command of the lab gets: nothing of the caller's environment leaks into a host. */
export function baseEnvironment(): Record<string, string> {
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' };
}

/** The last `count` lines of a text, without the empty line at its end. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

export function signalNumber(name: NodeJS.Signals | null): number {
  const numbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };
  return name === null ? 0 : (numbers[name] ?? 0);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended at this very moment; `close` follows.
  }
}
