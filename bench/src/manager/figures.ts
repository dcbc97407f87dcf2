/** What is measured of the manager, its goals, and the table. */
import { type Summary, scatter, summarize } from '../statistics.ts';
import { renderTextTable } from '../text-table.ts';

export type Unit = 'MB/s' | 'ms' | 'MB' | 's' | '×';
/** One figure of one round. */
export type Sample = {
  readonly what: string;
  readonly unit: Unit;
  readonly value: number;
  /** What it stands beside, in the same unit unless the name tells another: the floor under it. */
  readonly floors?: Readonly<Record<string, number>>;
  /** Why this value says nothing: whoever measured was too slow himself. */
  readonly doubt?: string | undefined;
};
export type Row = {
  readonly what: string;
  readonly unit: Unit;
  readonly values: readonly number[];
  readonly summary: Summary;
  /** Medians. */
  readonly floors: Readonly<Record<string, number>>;
  readonly goal: string;
};

export const names = {
  doorP50: 'door: added to a request, p50',
  doorP99: 'door: added to a request, p99',
  down: 'tunnel: one stream, agent to manager',
  up: 'tunnel: one stream, manager to agent',
  websocketDown: 'tunnel in a WebSocket: one stream, agent to manager',
  websocketUp: 'tunnel in a WebSocket: one stream, manager to agent',
  beside: 'tunnel: small request beside bulk ÷ idle, p99',
  websocketBeside: 'tunnel in a WebSocket: small request beside bulk ÷ idle, p99',
  crowdMemory: 'crowd: memory of the manager (RSS)',
  crowdBack: 'crowd: all back after its restart',
  agentPss: 'agent: memory (PSS)',
  agentAnonymous: 'agent: anonymous memory of it',
  pods: '10 000 pods: filter, sort and page, p95',
} as const;

type Goal = { readonly limit: number; readonly kind: 'at least' | 'at most' };

const goals: Readonly<Record<string, Goal>> = {
  [names.doorP50]: { kind: 'at most', limit: 1 },
  [names.doorP99]: { kind: 'at most', limit: 5 },
  [names.down]: { kind: 'at least', limit: 400 },
  [names.up]: { kind: 'at least', limit: 400 },
  [names.websocketDown]: { kind: 'at least', limit: 120 },
  [names.websocketUp]: { kind: 'at least', limit: 120 },
  [names.beside]: { kind: 'at most', limit: 3 },
  [names.websocketBeside]: { kind: 'at most', limit: 3 },
  [names.crowdMemory]: { kind: 'at most', limit: 500 },
  [names.crowdBack]: { kind: 'at most', limit: 30 },
  [names.agentPss]: { kind: 'at most', limit: 80 },
  [names.agentAnonymous]: { kind: 'at most', limit: 35 },
  [names.pods]: { kind: 'at most', limit: 50 },
};

/** Memory is the same on a busy machine; all else is not. */
const steady: ReadonlySet<Unit> = new Set(['MB']);
/** Largest to smallest floor of the rounds: beyond it, luck was measured. */
const mostScatter = 1.5;

/**
 * One row for each figure, in the order in which they were measured first.
 * @param options.busy why the machine was no place to measure on; undefined where it was quiet
 */
export function summarizeSamples(samples: readonly Sample[], { busy }: { readonly busy?: string | undefined } = {}): readonly Row[] {
  return [...Map.groupBy(samples, ({ what }) => what)].flatMap(([what, own]) => {
    const values = own.map(({ value }) => value);
    const summary = summarize(values);
    const unit = own[0]?.unit;
    if (summary === undefined || unit === undefined) return [];
    const beside = Map.groupBy(
      own.flatMap(({ floors = {} }) => Object.entries(floors)),
      ([name]) => name,
    );
    const floors = [...beside].flatMap(([name, entries]) => {
      const found = summarize(entries.map(([, value]) => value));
      return found === undefined ? [] : [[name, found] as const];
    });
    const wild = floors.find(([, each]) => each.count > 1 && scatter(each) > mostScatter)?.[0];
    const doubt =
      own.find((sample) => sample.doubt !== undefined)?.doubt ??
      (steady.has(unit) ? undefined : (busy ?? (wild === undefined ? undefined : `${wild} scatters`)));
    const medians = Object.fromEntries(floors.map(([name, { median }]) => [name, median]));
    return [{ what, unit, values, summary, floors: medians, goal: judge(goals[what], { unit, median: summary.median, doubt }) }];
  });
}

export function renderRows(rows: readonly Row[]): string {
  const columns = [
    { heading: 'figure', align: 'left' },
    { heading: 'median', align: 'right' },
    { heading: 'smallest–largest', align: 'right' },
    { heading: 'goal', align: 'left' },
    { heading: 'beside', align: 'left' },
  ] as const;
  return renderTextTable(
    columns,
    rows.map(({ what, unit, goal, floors, summary: { median, min, max } }) => [
      what,
      `${say(median, unit)} ${unit}`,
      `${say(min, unit)}–${say(max, unit)}`,
      goal,
      Object.entries(floors)
        .map(([name, value]) => (name.endsWith(' ms') ? `${name.slice(0, -3)} ${say(value, 'ms')} ms` : `${name} ${say(value, unit)}`))
        .join(', '),
    ]),
  );
}

function judge(goal: Goal | undefined, of: { readonly unit: Unit; readonly median: number; readonly doubt: string | undefined }): string {
  if (goal === undefined) return of.doubt === undefined ? '' : `VOID (${of.doubt})`;
  const { kind, limit } = goal;
  const met = kind === 'at least' ? of.median >= limit : of.median <= limit;
  const verdict = of.doubt === undefined ? (met ? 'met' : 'missed') : `VOID (${of.doubt})`;
  return `${kind} ${limit} ${of.unit}: ${verdict}`;
}

function say(value: number, unit: Unit): string {
  return value.toFixed({ 'MB/s': 0, 'MB': 0, 'ms': 2, 's': 1, '×': 1 }[unit]);
}
