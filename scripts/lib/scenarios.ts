import { join } from 'node:path';
import { ensureChart, ensureProgramImages, ensureTestImages } from '@rfo/components';
import type { Purpose } from './host-packages.ts';
import { ensureNodeProgram } from './node-program.ts';
import { run } from './run.ts';

const root = join(import.meta.dirname, '../..');

export type ScenarioCounts = { readonly passed: number; readonly failed: number };

/** The scenarios that boot hosts with systemd. */
const withFullHosts: readonly string[] = ['full-host', 'auto-join', 'auto-join-short', 'ca-faults'];

/** Those in which people sit at a browser. None of them is short: `npm test` installs none. */
const withBrowser: readonly string[] = ['sign-in-pages'];

/** What the host must have for these words (see `runScenarios`). */
export function purposesOf(words: readonly string[]): readonly Purpose[] {
  const chosen = (names: readonly string[]): boolean => words.some((word) => names.includes(word));
  const full = chosen(['all', 'short', ...withFullHosts]);
  const browser = chosen(['all', ...withBrowser]);
  return ['build', 'run', 'test', ...(full ? (['full-hosts'] as const) : []), ...(browser ? (['browser'] as const) : [])];
}

/**
 * Runs end-to-end scenarios against the bundled program, which is what a node runs; their runner's last line tells how many passed and
 * failed. Expects the components to be built.
 * @param words as after `npm run e2e --`: names of scenarios, `short` or `all`, `--keep`
 */
export async function runScenarios(words: readonly string[], bundle: string, signal: AbortSignal): Promise<ScenarioCounts> {
  const program = await ensureNodeProgram(root, join(root, '.cache/e2e-program'));
  await ensureTestImages({ root });
  await ensureProgramImages({ root, signal });
  await ensureChart({ root });
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', 'e2e/src/main.ts', ...words];
  const env = { ...process.env, RFO_E2E_PROGRAM: program, RFO_BUNDLE_DIR: bundle };
  const { status, output } = await run(command, { cwd: root, env, signal, onOutput: (text) => process.stdout.write(text) });
  return countScenarios(output, status);
}

/** A runner that fails without a word about it has failed once. */
export function countScenarios(output: string, status: number | string): ScenarioCounts {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  const passed = Number(last?.[1] ?? 0);
  const failed = Number(last?.[2] ?? 0);
  return { passed, failed: failed === 0 && (status !== 0 || last === undefined) ? 1 : failed };
}
