/** A long-running process inside a host: its output goes to a file, it is signalled and awaited from outside. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, createReadStream, fstatSync, openSync, watch } from 'node:fs';
import { systemCode } from '@rfo/foundation';
import { childOf } from './process-facts.ts';
import { signalNumber } from './run.ts';

export type Service = {
  /** Its number out here; inside the host it has another. */
  readonly pid: number;
  readonly logFile: string;
  /** Its exit code, 128 + signal when a signal ended it. */
  readonly exited: Promise<number>;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Lines of its output from the first one on, until it has exited or `signal` aborts. */
  readonly lines: (signal: AbortSignal) => AsyncIterable<string>;
};

/**
 * @param command already rendered by `renderEnter`: the started program is nsenter's only child
 * @param logFile where stdout and stderr go, out here; appended to
 */
export async function startService(
  command: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly logFile: string },
): Promise<Service> {
  const { env, logFile } = options;
  const [file = '', ...args] = command;
  const log = openSync(logFile, 'a');
  // The lines of an earlier run are not its own.
  const from = fstatSync(log).size;
  const child = spawn(file, args, { detached: true, env: { ...env }, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new EventEmitter();
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + signalNumber(signal));
      ended.emit('ended');
    });
  });
  await once(child, 'spawn');
  const pid = await innerPid(child.pid ?? 0, exited);
  return {
    pid,
    logFile,
    exited,
    signal: (name) => {
      try {
        process.kill(pid, name);
      } catch (error) {
        if (systemCode(error) !== 'ESRCH') throw error;
      }
    },
    lines: (signal) => followLines({ path: logFile, from }, exited, signal),
  };
}

/** Waits until nsenter has forked the program. It takes a few milliseconds and nothing announces it. */
async function innerPid(outer: number, exited: Promise<number>): Promise<number> {
  let over = false;
  void exited.then(() => {
    over = true;
  });
  while (!over) {
    const pid = await childOf(outer);
    if (pid !== undefined) return pid;
    await new Promise((resolve) => setImmediate(resolve));
  }
  // It ended before it was seen: its exit code tells the rest.
  return outer;
}

async function* followLines(
  { path, from }: { readonly path: string; readonly from: number },
  exited: Promise<number>,
  signal: AbortSignal,
): AsyncIterable<string> {
  let grown = Promise.withResolvers<void>();
  let over = false;
  const wake = (): void => grown.resolve();
  const watcher = watch(path, wake);
  watcher.on('error', wake);
  signal.addEventListener('abort', wake, { once: true });
  void exited.then(() => {
    over = true;
    wake();
  });
  try {
    const decoder = new TextDecoder();
    let at = from;
    let rest = '';
    for (;;) {
      const last = over;
      grown = Promise.withResolvers<void>();
      const added: Uint8Array[] = await createReadStream(path, { start: at }).toArray();
      at += added.reduce((sum, chunk) => sum + chunk.length, 0);
      const lines = (rest + added.map((chunk) => decoder.decode(chunk, { stream: true })).join('')).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      signal.throwIfAborted();
      if (last) return;
      if (!over) await grown.promise;
    }
  } finally {
    watcher.close();
    signal.removeEventListener('abort', wake);
  }
}
