/** A whole number of 32 bits as Go's strconv.ParseInt(text, 0, 32) reads it, with its prefixes for other bases; else what Go says to it. */
export function parseGoInt32(text: string): number | string {
  const match = /^([+-]?)(?:(0[xX][0-9a-fA-F]+)|(0[bB][01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (match === null) return `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`;
  const [, sign, hex, binary, octal, decimal] = match;
  const size = Number(hex ?? binary ?? (octal === undefined ? decimal : `0o${octal}`));
  const value = sign === '-' ? -size : size;
  if (value >= -(2 ** 31) && value < 2 ** 31) return value;
  return `strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`;
}
