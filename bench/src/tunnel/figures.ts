/** What is measured of a tunnel, its goals, and the table. */
import { type Summary, summarize } from '../statistics.ts';
import { renderTextTable } from '../text-table.ts';

export type Unit = 'MB/s' | 'ms';
/** One figure of one round. */
export type Sample = { readonly what: string; readonly unit: Unit; readonly value: number };
export type Row = {
  readonly what: string;
  readonly unit: Unit;
  readonly goal: string;
  readonly values: readonly number[];
  readonly summary: Summary;
};

type Goal = { readonly what: string; readonly limit: number; readonly kind: 'at least' | 'at most' };

export const names = {
  down: 'one stream, node to server',
  up: 'one stream, server to node',
  manyDown: 'many streams, node to server',
  manyUp: 'many streams, server to node',
  tcpDown: 'one stream, from a TCP target in a third process',
  tcpUp: 'one stream, to a TCP target in a third process',
  websocketDown: 'one stream in a WebSocket, node to server',
  websocketUp: 'one stream in a WebSocket, server to node',
  idle: 'small request, idle',
  busy: 'small request, beside bulk and a stuck reader',
  websocketIdle: 'small request in a WebSocket, idle',
  websocketBusy: 'small request in a WebSocket, beside bulk and a stuck reader',
  open: 'opening a stream, to its first byte',
} as const;

const goals: readonly Goal[] = [
  { what: names.down, kind: 'at least', limit: 500 },
  { what: names.up, kind: 'at least', limit: 500 },
  { what: names.manyDown, kind: 'at least', limit: 500 },
  { what: names.manyUp, kind: 'at least', limit: 500 },
  { what: names.websocketDown, kind: 'at least', limit: 120 },
  { what: names.websocketUp, kind: 'at least', limit: 120 },
  { what: `${names.idle}, p50`, kind: 'at most', limit: 0.15 },
];

/** One row for each figure, in the order in which they were measured first. */
export function summarizeSamples(samples: readonly Sample[]): readonly Row[] {
  const byName = Map.groupBy(samples, ({ what }) => what);
  return [...byName].flatMap(([what, own]) => {
    const values = own.map(({ value }) => value);
    const summary = summarize(values);
    const goal = goals.find((each) => each.what === what.replace(/ \(\d+\)$/, ''));
    const unit = own[0]?.unit;
    if (summary === undefined || unit === undefined) return [];
    return [{ what, unit, goal: goal === undefined ? '' : describeGoal(goal, unit, summary.median), values, summary }];
  });
}

export function renderRows(rows: readonly Row[]): string {
  const columns = [
    { heading: 'figure', align: 'left' },
    { heading: 'median', align: 'right' },
    { heading: 'min', align: 'right' },
    { heading: 'max', align: 'right' },
    { heading: 'goal', align: 'left' },
  ] as const;
  return renderTextTable(
    columns,
    rows.map(({ what, unit, goal, summary: { median, min, max } }) => [
      what,
      `${say(median, unit)} ${unit}`,
      say(min, unit),
      say(max, unit),
      goal,
    ]),
  );
}

function describeGoal({ kind, limit }: Goal, unit: Unit, median: number): string {
  const met = kind === 'at least' ? median >= limit : median <= limit;
  return `${kind} ${limit} ${unit}: ${met ? 'met' : 'not met'}`;
}

function say(value: number, unit: Unit): string {
  return value.toFixed(unit === 'ms' ? 3 : 0);
}
