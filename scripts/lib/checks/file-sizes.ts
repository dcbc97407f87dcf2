import { readFile } from 'node:fs/promises';
import type { Check, CheckResult } from './check.ts';

/** More than this is two files that do not know it yet. */
const limit = 400;

/** No source file is longer than the limit; generated ones are not read by people and do not count. */
export const fileSizes: Check = {
  name: 'file sizes',
  run: async (files) => {
    const sources = files.filter((file) => /\.(ts|tsx|sh)$/.test(file) && !file.includes('/generated/'));
    const sizes = await Promise.all(sources.map(async (file) => ({ file, lines: countLines(await readFile(file, 'utf8')) })));
    return judgeSizes(sizes);
  },
};

/** The verdict over files and their numbers of lines. */
export function judgeSizes(sizes: readonly { readonly file: string; readonly lines: number }[]): CheckResult {
  const sorted = sizes.map(({ lines }) => lines).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const findings = sizes.filter(({ lines }) => lines > limit).map(({ file, lines }) => `${file}: ${lines} lines, the limit is ${limit}`);
  return { detail: `${sizes.length} files, median ${at(0.5)} lines, p90 ${at(0.9)}, most ${sorted.at(-1) ?? 0}`, findings };
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}
