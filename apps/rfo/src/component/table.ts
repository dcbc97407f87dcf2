import type { Times } from './track.ts';

export type TableRow = { readonly name: string; readonly state: string; readonly times: Times; readonly restarts: number };

const headings = ['component', 'waited', 'took', 'ready at', 'how'] as const;

/** How long each component waited for its needs and took itself, in the order in which they became ready, as aligned text. */
export function renderTable(rows: readonly TableRow[]): string {
  const start = Math.min(...rows.map(({ times }) => times.created));
  const sorted = [...rows].sort((a, b) => (a.times.ready ?? Infinity) - (b.times.ready ?? Infinity));
  const cells = [headings, ...sorted.map((row) => renderRow(row, start))];
  const widths = headings.map((_, column) => Math.max(...cells.map((line) => (line[column] ?? '').length)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => pad(cell, widths[column] ?? 0, column))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function renderRow({ name, state, times, restarts }: TableRow, start: number): readonly string[] {
  const { created, needsReady, ready, how } = times;
  const again = restarts === 0 ? '' : `, ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`;
  return [
    name,
    seconds(needsReady, created),
    seconds(ready, needsReady),
    seconds(ready, start),
    `${ready === undefined ? state : how}${again}`,
  ];
}

function seconds(to: number | undefined, from: number | undefined): string {
  return to === undefined || from === undefined ? '-' : `${((to - from) / 1000).toFixed(2)} s`;
}

/** Names and words to the left, numbers to the right. */
function pad(cell: string, width: number, column: number): string {
  return column >= 1 && column <= 3 ? cell.padStart(width) : cell.padEnd(width);
}
