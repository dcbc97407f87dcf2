import { spawn } from 'node:child_process';

export type RunResult = { readonly status: number | NodeJS.Signals; readonly output: string };

/**
 * Runs a command without input and gives what it wrote to both outputs, in order. Never throws for a failed command: look at `status`.
 * @param onOutput sees each piece of output as it comes
 */
export function run(
  command: readonly string[],
  options: {
    readonly signal: AbortSignal;
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly onOutput?: (text: string) => void;
  },
): Promise<RunResult> {
  const { signal, cwd, env = process.env, onOutput } = options;
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    const pieces: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        pieces.push(text);
        onOutput?.(text);
      });
    }
    child.once('error', reject);
    child.once('close', (code, killedBy) => resolve({ status: code ?? killedBy ?? 1, output: pieces.join('') }));
  });
}
