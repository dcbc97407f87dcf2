/** Sums of Kubernetes quantities (apimachinery's resource.Quantity). */

const units: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 1_000n,
  m: 1_000_000n,
  '': 1_000_000_000n,
  k: 10n ** 12n,
  M: 10n ** 15n,
  G: 10n ** 18n,
  T: 10n ** 21n,
  P: 10n ** 24n,
  E: 10n ** 27n,
  Ki: 1024n * 10n ** 9n,
  Mi: 1024n ** 2n * 10n ** 9n,
  Gi: 1024n ** 3n * 10n ** 9n,
  Ti: 1024n ** 4n * 10n ** 9n,
  Pi: 1024n ** 5n * 10n ** 9n,
  Ei: 1024n ** 6n * 10n ** 9n,
};
const one = 1_000_000_000n;

/** Adds up amounts by name; what is no quantity is left out. Written in whole units, or in thousandths (`1500m`), rounded up to them. */
export function sumQuantities(amounts: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const sums = new Map<string, bigint>();
  for (const each of amounts) {
    for (const [name, text] of Object.entries(each)) {
      const value = parseNano(text);
      if (value !== undefined) sums.set(name, (sums.get(name) ?? 0n) + value);
    }
  }
  return Object.fromEntries([...sums].map(([name, value]) => [name, format(value)]));
}

function parseNano(text: string): bigint | undefined {
  const [, whole, fraction = '', unit = '', exponent] =
    /^(\d+)(?:\.(\d{0,9}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE](\d{1,2}))?$/.exec(text) ?? [];
  const factor = exponent === undefined ? units[unit] : one * 10n ** BigInt(exponent);
  if (whole === undefined || factor === undefined) return undefined;
  return (BigInt(whole + fraction.padEnd(9, '0')) * factor) / one;
}

function format(nano: bigint): string {
  if (nano % one === 0n) return String(nano / one);
  const milli = one / 1000n;
  return `${(nano + milli - 1n) / milli}m`;
}
