import { join } from 'node:path';
import type { Check, CheckResult } from './checks/check.ts';
import { documentPairs } from './checks/document-pairs.ts';
import { fileSizes } from './checks/file-sizes.ts';
import { links } from './checks/links.ts';
import { toolChecks } from './checks/tools.ts';
import { run } from './run.ts';
import { formatSeconds } from './summary.ts';

const root = join(import.meta.dirname, '../..');
/** The slow ones first, so that the quick ones fill the second core. */
const allChecks: readonly Check[] = [...toolChecks, fileSizes, links, documentPairs];

/**
 * Runs every gate, two at a time, and says one line for each, with its findings below when it fails.
 * @returns how many passed and failed
 */
export async function runChecks(
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<{ readonly passed: number; readonly failed: number }> {
  process.chdir(root);
  const files = await listFiles(signal);
  const waiting = [...allChecks];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const started = performance.now();
      const result = await attempt(check, files, signal);
      if (result.findings.length > 0) failed += 1;
      say(describe(check, result, performance.now() - started));
    }
  };
  await Promise.all([work(), work()]);
  return { passed: allChecks.length - failed, failed };
}

/** What git knows or would add, except what is deleted in the working tree. */
async function listFiles(signal: AbortSignal): Promise<readonly string[]> {
  const list = async (...flags: string[]) => {
    const { status, output } = await run(['git', 'ls-files', '-z', ...flags], { signal });
    if (status !== 0) throw new Error(`git ls-files ended with ${status}: ${output}`);
    return output.split('\0').filter((file) => file !== '');
  };
  const deleted = new Set(await list('--deleted'));
  return (await list('--cached', '--others', '--exclude-standard')).filter((file) => !deleted.has(file));
}

async function attempt(check: Check, files: readonly string[], signal: AbortSignal): Promise<CheckResult> {
  try {
    return await check.run(files, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { findings: [error instanceof Error ? error.message : String(error)] };
  }
}

function describe(check: Check, { detail, findings }: CheckResult, ms: number): string {
  const line = `${findings.length === 0 ? '✔' : '✘'} ${check.name.padEnd(18)} ${formatSeconds(ms)}  ${detail ?? ''}`.trimEnd();
  return [line, ...findings.map((finding) => finding.replace(/^/gm, '    '))].join('\n');
}
