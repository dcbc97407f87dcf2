// Serial numbers as people and other programs write them.

/** Decimal, as the database has it, of decimal digits, `0x…` or bytes in hex with colons between them. */
export function decimalSerial(given: string): string {
  if (given.includes(':')) return BigInt(`0x${given.replaceAll(':', '')}`).toString();
  return BigInt(given).toString();
}

/** The id of a key as the database has it: lower-case hex without colons. */
export function plainKeyId(given: string): string {
  return given.replaceAll(':', '').toLowerCase();
}
