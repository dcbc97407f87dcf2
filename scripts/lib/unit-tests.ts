import { globSync, readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { type Descendant, endAll, findDescendants } from './descendants.ts';

const repository = join(import.meta.dirname, '../..');
const folders = '{packages,apps,components,images,e2e,bench,scripts}';
/** One test that takes longer than this (ms) hangs. */
const longest = 120_000;
/** How many files run side by side for each core. Most wait most of their time: for a server to start, a lease to end, a vote. */
const perCore = { waiting: 2, measuring: 1 };
/** Bytes: what a file may take with its API servers. */
const perFile = 2 ** 31;

export type UnitResult = { readonly passed: number; readonly failed: number; readonly note: string };
type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/**
 * Runs every `*.test.ts` beside the code, files in parallel, and reports on the terminal as `node --test` does. Those that measure time
 * come last, when less else runs.
 * @param root of the repository
 * @throws the reason of the signal, when it aborts
 */
export async function runUnitTests(signal: AbortSignal, { root = repository }: { readonly root?: string } = {}): Promise<UnitResult> {
  const found = globSync(`${folders}/**/*.test.ts`, { cwd: root, exclude: (path) => path.split('/').includes('node_modules') });
  const files = found.sort().map((file) => join(root, file));
  const { waiting = [], measuring = [] } = Object.groupBy(files, (file) => (measuresTime(file) ? 'measuring' : 'waiting'));
  const rounds = [await runFiles(waiting, perCore.waiting, signal), await runFiles(measuring, perCore.measuring, signal)];
  const sum = (pick: (counts: Counts) => number): number => rounds.reduce((total, counts) => total + pick(counts), 0);
  const skipped = sum((counts) => counts.skipped);
  return {
    passed: sum((counts) => counts.passed),
    failed: sum((counts) => counts.failed),
    note: `${files.length} files${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  };
}

function measuresTime(file: string): boolean {
  return readFileSync(file, 'utf8').includes('performance.now()');
}

async function runFiles(files: readonly string[], each: number, signal: AbortSignal): Promise<Counts> {
  let result: Counts = { passed: 0, failed: 0, skipped: 0 };
  // Without any it would look for some by itself.
  if (files.length === 0) return result;
  let ended = false;
  let started: readonly Descendant[] = [];
  // Before the tests are ended: whose parent has ended is nobody's descendant.
  const note = (): void => {
    started = findDescendants();
  };
  signal.addEventListener('abort', note, { once: true });
  const stream = run({
    files: [...files],
    concurrency: Math.max(1, Math.min(each * availableParallelism(), Math.floor(totalmem() / perFile))),
    timeout: longest,
    // Half the time of a short file is reading TypeScript.
    env: { ...process.env, NODE_COMPILE_CACHE: join(repository, '.cache/node-compile') },
    signal,
  });
  stream.on('test:summary', ({ file, counts: { tests, passed, skipped, todo } }) => {
    if (file !== undefined) return;
    ended = true;
    result = { passed, failed: tests - passed - skipped - todo, skipped };
  });
  // When it is interrupted, it tells of every file that has not run as one that failed.
  for await (const line of stream.compose(spec)) if (!signal.aborted) process.stdout.write(line);
  endAll(started);
  signal.throwIfAborted();
  if (!ended) throw new Error('the test runner ended without a summary');
  return result;
}
