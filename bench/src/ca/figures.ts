/** What is measured of a certificate authority, its goals, and the table. */
import { type Summary, summarize } from '../statistics.ts';
import { renderTextTable } from '../text-table.ts';

export type SideName = 'rfo' | 'cfssl';
export type Unit = '/s' | 'ms';
/** One figure of one side in one round. */
export type Sample = { readonly what: string; readonly side: SideName; readonly unit: Unit; readonly value: number };

export type Row = {
  readonly what: string;
  readonly unit: Unit;
  readonly rfo: Summary;
  /** Undefined where only RFO is measured. */
  readonly cfssl: Summary | undefined;
  /** Medians divided. */
  readonly ratio: number | undefined;
  readonly goal: string;
  readonly values: Readonly<Record<SideName, readonly number[]>>;
};

const plural = (connections: number): string => `${connections} connection${connections === 1 ? '' : 's'}`;
export const names = {
  authsign: (connections: number) => `authsign, ${plural(connections)}`,
  info: (connections: number) => `info, ${plural(connections)}`,
  ocspPost: (connections: number) => `OCSP from cache by POST, ${plural(connections)}`,
  ocspGet: (connections: number) => `OCSP from cache by GET, ${plural(connections)}`,
} as const;

type Goal = { readonly what: RegExp; readonly of: 'ratio' | 'rfo'; readonly kind: 'at least' | 'at most'; readonly limit: number };

const goals: readonly Goal[] = [
  { what: /^authsign, \d+ connections?$/, of: 'ratio', kind: 'at least', limit: 1.2 },
  { what: /^authsign, .*, p99$/, of: 'ratio', kind: 'at most', limit: 0.2 },
  { what: /^OCSP /, of: 'rfo', kind: 'at least', limit: 15_000 },
];

/** One row for each figure, in the order in which they were measured first. */
export function summarizeSamples(samples: readonly Sample[]): readonly Row[] {
  const byName = Map.groupBy(samples, ({ what }) => what);
  return [...byName].flatMap(([what, own]) => {
    const valuesOf = (side: SideName): readonly number[] => own.filter((sample) => sample.side === side).map(({ value }) => value);
    const values = { rfo: valuesOf('rfo'), cfssl: valuesOf('cfssl') };
    const [rfo, cfssl] = [summarize(values.rfo), summarize(values.cfssl)];
    const unit = own[0]?.unit;
    if (rfo === undefined || unit === undefined) return [];
    const ratio = cfssl && rfo.median / cfssl.median;
    return [{ what, unit, rfo, cfssl, ratio, goal: judge(what, { rfo: rfo.median, ratio }), values }];
  });
}

export function renderRows(rows: readonly Row[]): string {
  const columns = [
    { heading: 'figure', align: 'left' },
    { heading: 'rfo', align: 'right' },
    { heading: 'smallest–largest', align: 'right' },
    { heading: 'cfssl', align: 'right' },
    { heading: 'smallest–largest', align: 'right' },
    { heading: 'rfo ÷ cfssl', align: 'right' },
    { heading: 'goal', align: 'left' },
  ] as const;
  return renderTextTable(
    columns,
    rows.map(({ what, unit, rfo, cfssl, ratio, goal }) => [
      what,
      ...tell(rfo, unit),
      ...(cfssl === undefined ? ['', ''] : tell(cfssl, unit)),
      ratio === undefined ? '' : ratio.toFixed(2),
      goal,
    ]),
  );
}

function judge(what: string, values: { readonly rfo: number; readonly ratio: number | undefined }): string {
  const goal = goals.find((each) => each.what.test(what));
  const value = goal && values[goal.of];
  if (goal === undefined || value === undefined) return '';
  const met = goal.kind === 'at least' ? value >= goal.limit : value <= goal.limit;
  return `${goal.kind} ${goal.limit}: ${met ? 'met' : 'not met'}`;
}

function tell({ median, min, max }: Summary, unit: Unit): readonly [string, string] {
  const say = (value: number): string => value.toFixed(unit === 'ms' ? 2 : 0);
  return [`${say(median)} ${unit}`, `${say(min)}–${say(max)}`];
}
