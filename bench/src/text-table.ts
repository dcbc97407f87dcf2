/** Aligned text tables. */

export type Column = { readonly heading: string; readonly align: 'left' | 'right' };

/** One line for the headings and one for each row; columns are two blanks apart, and no line ends in blanks. */
export function renderTextTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)));
  const pad = (cell: string, at: number): string =>
    columns[at]?.align === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
  return lines
    .map((line) =>
      columns
        .map((_, at) => pad(line[at] ?? '', at))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
