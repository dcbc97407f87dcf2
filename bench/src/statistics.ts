/** The few statistics that a benchmark tells: of a handful of runs nothing more can be said honestly. */

export type Summary = { readonly median: number; readonly min: number; readonly max: number; readonly count: number };

/** @returns undefined when there is no value */
export function summarize(values: readonly number[]): Summary | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return { median: middle.reduce((sum, value) => sum + value, 0) / middle.length, min, max, count: sorted.length };
}

/** How many times the smallest value the largest is: the measure of whether a comparison with these values says anything. */
export function scatter({ min, max }: Summary): number {
  return max / min;
}

/** The value that so large a share of the values lies below, 0.99 for p99; NaN where there is none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
