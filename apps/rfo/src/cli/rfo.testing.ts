// Runs the program as a user does, for the tests of the command line.
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const main = join(import.meta.dirname, '../main.ts');

export type Outcome = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs `rfo` with nothing of this process's environment but these variables. */
export function rfo(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...argv], { env: withPath(env) }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** Starts `rfo` to be sent signals. */
export function startRfo(argv: readonly string[], env: Readonly<Record<string, string>>) {
  return spawn(process.execPath, [main, ...argv], { env: withPath(env), stdio: ['pipe', 'pipe', 'inherit'] });
}

/** A folder with these files, those of `bin` executable. */
export async function folderOf(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-cli-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
    if (name.includes('bin/')) await chmod(join(folder, name), 0o755);
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

function withPath(env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }), ...env };
}
