/** Runs a short command of the host and hands back what it said; for what lives longer there is the component manager. */
import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { systemCode } from '@rfo/foundation';

export type Executed = { readonly ok: boolean; readonly stdout: string; readonly stderr: string };
export type ExecuteOptions = {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until the command is killed. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
};

/** Folders of system tools that a service's PATH may lack. */
const systemFolders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin'];

/** Runs a command to its end. A command that is missing or cannot be started is a failed run that says so, not an exception. */
export async function execute(command: string, args: readonly string[], options: ExecuteOptions = {}): Promise<Executed> {
  const child = spawn(command, args, {
    env: { ...process.env, PATH: searchPath(), LC_ALL: 'C', ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    timeout: options.timeout ?? 30_000,
    killSignal: 'SIGKILL',
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const { promise: ended, resolve } = Promise.withResolvers<{ status: string | undefined }>();
  child.once('error', (error) => resolve({ status: systemCode(error) === 'ENOENT' ? `${command} is not installed` : error.message }));
  child.once('close', (code, signal) => resolve({ status: code === 0 ? undefined : `${command}: ${signal ?? `exit code ${code}`}` }));
  if (options.input !== undefined) {
    // A command that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin?.once('error', () => undefined);
    child.stdin?.end(options.input);
  }
  const [stdout, stderr, { status }] = await Promise.all([read(child.stdout), read(child.stderr), ended]);
  return { ok: status === undefined, stdout, stderr: stderr.trim() === '' ? (status ?? '') : stderr.trim() };
}

/** Full path of a system tool, or undefined when the host lacks it. */
export async function findTool(name: string): Promise<string | undefined> {
  for (const folder of searchPath().split(':')) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch (error) {
      if (!['ENOENT', 'EACCES', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    }
  }
  return undefined;
}

/** PATH with the system folders at its end. */
function searchPath(): string {
  const own = (process.env.PATH ?? '').split(':').filter((folder) => folder !== '');
  return [...own, ...systemFolders.filter((folder) => !own.includes(folder))].join(':');
}

async function read(stream: NodeJS.ReadableStream | null): Promise<string> {
  return stream === null ? '' : text(stream);
}
