import { ipToBytes } from '@rfo/pki';

/** Values by address range, of both families; the look-up costs as many steps as there are different prefix lengths. */
export class Ranges<T> {
  readonly #values = new Map<string, T>();
  /** Longest first, so that the narrowest range wins. */
  #prefixes: number[] = [];

  /** Adds one; of two equal ranges the first stays. Gives false for a text that is no range. */
  add(range: string, value: T): boolean {
    const [address = '', length = '', ...more] = range.split('/');
    const bytes = ipToBytes(address);
    const prefix = Number(length);
    if (bytes === undefined || more.length > 0 || !/^\d{1,3}$/.test(length) || prefix > bytes.length * 8) return false;
    const key = keyOf(bytes, prefix);
    if (!this.#values.has(key)) this.#values.set(key, value);
    if (!this.#prefixes.includes(prefix)) this.#prefixes = [...this.#prefixes, prefix].sort((a, b) => b - a);
    return true;
  }

  /** The value of the narrowest range that holds the address; undefined also for what is no address. */
  find(address: string): T | undefined {
    const bytes = ipToBytes(address);
    if (bytes === undefined) return undefined;
    for (const prefix of this.#prefixes) {
      const value = prefix > bytes.length * 8 ? undefined : this.#values.get(keyOf(bytes, prefix));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

/** Whether one of the ranges holds the address. */
export function inRanges(ranges: readonly string[], address: string): boolean {
  const table = new Ranges<true>();
  for (const range of ranges) table.add(range, true);
  return table.find(address) === true;
}

/** The first `prefix` bits, the rest cleared; families differ in length. */
function keyOf(bytes: Buffer, prefix: number): string {
  const whole = prefix >> 3;
  const rest = prefix & 7;
  const masked = Buffer.alloc(bytes.length);
  bytes.copy(masked, 0, 0, whole);
  if (rest > 0) masked[whole] = (bytes[whole] ?? 0) & (0xff << (8 - rest));
  return `${prefix}/${masked.toString('hex')}`;
}
