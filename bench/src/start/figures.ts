/** The figures that are compared, their goals, and the verdict over each: the one table that says what this benchmark is about. */

import { type Summary, scatter, summarize } from '../statistics.ts';
import { renderTextTable } from '../text-table.ts';
import type { ProcessMemory } from './usage.ts';

export const sides = ['rfo', 'bare', 'separate', 'tuned'] as const;
/**
 * `rfo`; the same multicall binary by hand; upstream's separate binaries by hand; and, on request, the multicall binary by hand with all that
 * `rfo` tunes and hardens: what `rfo` is slower than that, it loses itself.
 */
export type Side = (typeof sides)[number];
export type HandSide = Exclude<Side, 'rfo'>;
const handSides = ['bare', 'separate', 'tuned'] as const satisfies readonly HandSide[];
export const phases = ['cold', 'restart', 'idle'] as const;
export type Phase = (typeof phases)[number];

/** Times in seconds from the start of a side's first process. */
export type Cold = { readonly readyz: number; readonly nodeReady: number; readonly deployment: number; readonly dns: number };
export type Restart = { readonly readyz: number; readonly pod: number };
export type Idle = {
  /** `cpu`: of the minute, in seconds; what ended in it is not here, but in the sum below. */
  readonly processes: readonly (ProcessMemory & { readonly cpu: number })[];
  /** Seconds of CPU time in a minute. */
  readonly cpu: number;
};
export type Measurement = {
  readonly side: Side;
  readonly round: number;
  readonly cold?: Cold;
  readonly restart?: Restart;
  readonly idle?: Idle;
};

type Goal =
  | { readonly kind: 'ratio'; readonly against: Side; readonly limit: number }
  | { readonly kind: 'excess'; readonly against: Side; readonly limit: number }
  | { readonly kind: 'at most'; readonly limit: number };

export type Figure = {
  readonly phase: Phase;
  readonly what: string;
  readonly unit: 's' | 'MB';
  readonly goal: Goal;
  readonly read: (measurement: Measurement) => number | undefined;
};

/** The name that `rfo`'s own process has in the list of memory. */
const rfoProcess = 'rfo';

const figures: readonly Figure[] = [
  {
    phase: 'cold',
    what: 'start: /readyz',
    unit: 's',
    goal: { kind: 'ratio', against: 'bare', limit: 1.1 },
    read: ({ cold }) => cold?.readyz,
  },
  {
    phase: 'cold',
    what: 'start: Node Ready',
    unit: 's',
    goal: { kind: 'ratio', against: 'bare', limit: 1.1 },
    read: ({ cold }) => cold?.nodeReady,
  },
  {
    phase: 'cold',
    what: 'start: first Deployment runs',
    unit: 's',
    goal: { kind: 'ratio', against: 'bare', limit: 0.65 },
    read: ({ cold }) => cold?.deployment,
  },
  {
    phase: 'cold',
    what: 'start: cluster DNS answers',
    unit: 's',
    goal: { kind: 'ratio', against: 'bare', limit: 0.65 },
    read: ({ cold }) => cold?.dns,
  },
  {
    phase: 'restart',
    what: 'restart: /readyz',
    unit: 's',
    goal: { kind: 'ratio', against: 'bare', limit: 1.1 },
    read: ({ restart }) => restart?.readyz,
  },
  {
    phase: 'restart',
    what: 'restart: first pod runs',
    unit: 's',
    goal: { kind: 'ratio', against: 'bare', limit: 1.1 },
    read: ({ restart }) => restart?.pod,
  },
  {
    phase: 'idle',
    what: 'idle: memory of everything',
    unit: 'MB',
    goal: { kind: 'ratio', against: 'separate', limit: 0.95 },
    read: ({ idle }) => idle && megabytes(idle.processes, 'pss'),
  },
  {
    phase: 'idle',
    what: 'idle: memory of rfo',
    unit: 'MB',
    goal: { kind: 'at most', limit: 100 },
    read: (each) => ownMegabytes(each, 'pss'),
  },
  {
    phase: 'idle',
    what: 'idle: of it anonymous',
    unit: 'MB',
    goal: { kind: 'at most', limit: 50 },
    read: (each) => ownMegabytes(each, 'anonymous'),
  },
  // 0.5 % of a core.
  {
    phase: 'idle',
    what: 'idle: CPU in a minute',
    unit: 's',
    goal: { kind: 'excess', against: 'bare', limit: 0.3 },
    read: ({ idle }) => idle?.cpu,
  },
];

/** Above this no comparison with a side means anything. */
const mostScatter = 1.3;

export type Verdict = 'met' | 'not met' | 'VOID' | '';
export type Row = {
  readonly phase: Phase;
  readonly what: string;
  readonly unit: Figure['unit'];
  readonly goal: string;
  readonly values: Readonly<Partial<Record<Side, readonly number[]>>>;
  readonly summaries: Readonly<Partial<Record<Side, Summary>>>;
  readonly ratios: Readonly<Partial<Record<HandSide, number>>>;
  readonly verdict: Verdict;
};

/** One row for each figure of the phases, from the counted measurements (all that are given). */
export function judge(measurements: readonly Measurement[], chosen: readonly Phase[] = phases): readonly Row[] {
  return figures.filter(({ phase }) => chosen.includes(phase)).map((figure) => judgeFigure(figure, measurements));
}

function judgeFigure({ phase, what, unit, goal, read }: Figure, measurements: readonly Measurement[]): Row {
  const values: Partial<Record<Side, readonly number[]>> = {};
  const summaries: Partial<Record<Side, Summary>> = {};
  for (const side of sides) {
    const found = measurements
      .filter((each) => each.side === side)
      .map(read)
      .filter((value) => value !== undefined);
    const summary = summarize(found);
    if (summary === undefined) continue;
    values[side] = found;
    summaries[side] = summary;
  }
  const ratios: Partial<Record<HandSide, number>> = {};
  for (const side of handSides) {
    const [own, other] = [summaries.rfo, summaries[side]];
    if (own !== undefined && other !== undefined) ratios[side] = own.median / other.median;
  }
  return { phase, what, unit, goal: describeGoal(goal, unit), values, summaries, ratios, verdict: verdict(goal, summaries) };
}

function verdict(goal: Goal, summaries: Row['summaries']): Verdict {
  const own = summaries.rfo;
  if (own === undefined) return '';
  if (goal.kind === 'at most') return own.median <= goal.limit ? 'met' : 'not met';
  const other = summaries[goal.against];
  if (other === undefined) return '';
  if (scatter(other) > mostScatter) return 'VOID';
  const reached = goal.kind === 'ratio' ? own.median / other.median <= goal.limit : own.median - other.median <= goal.limit;
  return reached ? 'met' : 'not met';
}

function describeGoal(goal: Goal, unit: Figure['unit']): string {
  if (goal.kind === 'at most') return `≤ ${goal.limit} ${unit}`;
  return goal.kind === 'ratio' ? `≤ ${goal.limit.toFixed(2)} × ${goal.against}` : `≤ ${goal.against} + ${goal.limit} ${unit}`;
}

function megabytes(processes: readonly ProcessMemory[], field: 'pss' | 'anonymous'): number {
  return processes.reduce((sum, each) => sum + each[field], 0) / 1e6;
}

function ownMegabytes({ idle }: Measurement, field: 'pss' | 'anonymous'): number | undefined {
  const own = idle?.processes.filter(({ name }) => name === rfoProcess) ?? [];
  return own.length === 0 ? undefined : megabytes(own, field);
}

/** The rows as a table for people. */
export function renderRows(rows: readonly Row[]): string {
  const has = (side: Side): boolean => rows.some(({ summaries }) => summaries[side] !== undefined);
  const [shown, compared] = [sides.filter(has), handSides.filter(has)];
  const columns = [
    { heading: 'what', align: 'left' },
    ...shown.map((heading) => ({ heading, align: 'right' }) as const),
    ...compared.map((side) => ({ heading: `rfo/${side}`, align: 'right' }) as const),
    { heading: 'goal', align: 'left' },
    { heading: '', align: 'left' },
  ] as const;
  const cells = rows.map(({ what, unit, goal, summaries, ratios, verdict: said }) => [
    what,
    ...shown.map((side) => describeSummary(summaries[side], unit)),
    ...compared.map((side) => ratios[side]?.toFixed(2) ?? ''),
    goal,
    said,
  ]);
  return renderTextTable(columns, cells);
}

function describeSummary(summary: Summary | undefined, unit: Figure['unit']): string {
  if (summary === undefined) return '';
  const [median, min, max] = [summary.median, summary.min, summary.max].map((value) => value.toFixed(unit === 's' ? 2 : 0));
  return `${median} ${unit} (${min}–${max})`;
}
