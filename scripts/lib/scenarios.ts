import { join } from 'node:path';
import { run } from './run.ts';

const root = join(import.meta.dirname, '../..');

/** Runs the short end-to-end scenarios; their runner's last line tells how many passed and failed. */
export async function runScenarios(signal: AbortSignal): Promise<{ readonly passed: number; readonly failed: number }> {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', 'e2e/src/main.ts', 'short'];
  const { status, output } = await run(command, { cwd: root, signal, onOutput: (text) => process.stdout.write(text) });
  return countScenarios(output, status);
}

/** A runner that fails without a word about it has failed once. */
export function countScenarios(output: string, status: number | string): { readonly passed: number; readonly failed: number } {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  const passed = Number(last?.[1] ?? 0);
  const failed = Number(last?.[2] ?? 0);
  return { passed, failed: failed === 0 && (status !== 0 || last === undefined) ? 1 : failed };
}
