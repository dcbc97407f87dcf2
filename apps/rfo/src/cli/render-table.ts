/** Columns as wide as their longest cell, two spaces apart; a line break after each row. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const show = (line: readonly string[]): string => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return lines.map((line) => `${show(line).trimEnd()}\n`).join('');
}

/** A moment as lists show it: RFC 3339 in whole seconds. @param time milliseconds since 1970 */
export function showTime(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
