import { spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { systemCode } from '@rfo/foundation';

export type Command = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly signal: AbortSignal;
  /** Each line of standard error as it comes. */
  readonly onErrorLine?: (line: string) => void;
};

export type CommandResult = { readonly status: number | string; readonly output: string };

/**
 * Runs a command to its end.
 * @returns its exit status (a number, or the name of the signal that ended it) and standard output
 * @throws the signal's reason when it aborts, after the command and everything it started have been told to end; a system error when it cannot be started
 */
export async function runCommand(command: Command): Promise<CommandResult> {
  command.signal.throwIfAborted();
  // Its own process group, so that ending it also ends the compilers that it runs.
  const child = spawn(command.command, command.args, {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const end = (): void => endGroup(child.pid);
  command.signal.addEventListener('abort', end, { once: true });
  try {
    const closed = new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'an unknown status'));
    });
    // A command may end without reading its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(command.input ?? '');
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    createInterface({ input: child.stderr }).on('line', (line) => command.onErrorLine?.(line));
    const status = await closed;
    command.signal.throwIfAborted();
    return { status, output };
  } finally {
    command.signal.removeEventListener('abort', end);
  }
}

/** A log file that is written line by line and closed with the scope. */
export function openLog(path: string): AsyncDisposable & { readonly line: (text: string) => void } {
  const stream: WriteStream = createWriteStream(path, { flags: 'w', mode: 0o644 });
  return {
    line: (text) => stream.write(`${text}\n`),
    [Symbol.asyncDispose]: async () => {
      stream.end();
      await finished(stream);
    },
  };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}
