/** One part of a test run and how it went. */
export type Phase = {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly ms: number;
  readonly note?: string;
};

/** The table at the end of a test run, and its last line, which other programs read: `N passed, N failed`. */
export function renderSummary(phases: readonly Phase[]): string {
  const rows = phases.map(({ name, passed, failed, ms, note = '' }) =>
    `${failed === 0 ? '✔' : '✘'} ${name.padEnd(18)} ${String(passed).padStart(6)} passed ${String(failed).padStart(5)} failed ${formatSeconds(ms)}  ${note}`.trimEnd(),
  );
  const sum = (pick: (phase: Phase) => number): number => phases.reduce((total, phase) => total + pick(phase), 0);
  return [
    ...rows,
    `  in all ${formatSeconds(sum(({ ms }) => ms)).trim()}`,
    `${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`,
  ].join('\n');
}

/** Milliseconds as ` 12.3 s`, eight characters for columns. */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`.padStart(8);
}
