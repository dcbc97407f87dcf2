/** Columns as wide as their longest cell, two spaces apart; a line break after each row. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return growingTable(header)(rows);
}

/** A table whose rows come bit by bit: the first time it begins with the header. Columns become wider with their cells, and never narrower. */
export function growingTable(header: readonly string[]): (rows: readonly (readonly string[])[]) => string {
  let widths: readonly number[] | undefined;
  return (rows) => {
    const lines = widths === undefined ? [header, ...rows] : rows;
    const wide = header.map((_, column) => lines.reduce((most, line) => Math.max(most, widthOf(line[column])), widths?.[column] ?? 0));
    widths = wide;
    const show = (line: readonly string[]): string =>
      line.map((cell, column) => `${cell}${' '.repeat((wide[column] ?? 0) - widthOf(cell))}`).join('  ');
    return lines.map((line) => `${show(line).trimEnd()}\n`).join('');
  };
}

/** Characters that take two columns of a terminal: those of East Asia, and pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/gu;

/** Columns of a terminal. */
function widthOf(text = ''): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return [...text.replace(/\p{Mn}/gu, '').replace(wide, '..')].length;
}

/** A moment as lists show it: RFC 3339 in whole seconds. @param time milliseconds since 1970 */
export function showTime(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
