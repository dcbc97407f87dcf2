import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const repository = join(import.meta.dirname, '../..');
const folders = '{packages,apps,components,images,e2e,bench,scripts}';
/** One test that takes longer than this (ms) hangs. */
const longest = 120_000;

export type UnitResult = { readonly passed: number; readonly failed: number; readonly note: string };

/**
 * Runs every `*.test.ts` beside the code, files in parallel, and reports on the terminal as `node --test` does.
 * @param root of the repository
 * @throws the reason of the signal, when it aborts
 */
export async function runUnitTests(signal: AbortSignal, { root = repository }: { readonly root?: string } = {}): Promise<UnitResult> {
  const files = globSync(`${folders}/**/*.test.ts`, { cwd: root, exclude: (path) => path.split('/').includes('node_modules') });
  const stream = run({
    files: files.sort().map((file) => join(root, file)),
    concurrency: availableParallelism(),
    timeout: longest,
    // Half the time of a short file is reading TypeScript.
    env: { ...process.env, NODE_COMPILE_CACHE: join(repository, '.cache/node-compile') },
    signal,
  });
  let result: UnitResult | undefined;
  stream.on('test:summary', ({ file, counts }) => {
    if (file !== undefined) return;
    const failed = counts.tests - counts.passed - counts.skipped - counts.todo;
    result = { passed: counts.passed, failed, note: `${files.length} files${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}` };
  });
  // When it is interrupted, it tells of every file that has not run as one that failed.
  for await (const line of stream.compose(spec)) if (!signal.aborted) process.stdout.write(line);
  signal.throwIfAborted();
  if (result === undefined) throw new Error('the test runner ended without a summary');
  return result;
}
