/** Kubernetes' quantities (k8s.io/apimachinery/pkg/api/resource), exact: `500m`, `2Gi`, `1e3`. */

/** In billionths, the finest that Kubernetes knows. */
export type Billionths = bigint;

const billion = 1_000_000_000n;
const decimal = { n: 1n, u: 1_000n, m: 1_000_000n, k: billion * 1_000n, M: billion * 1_000_000n, G: billion * billion } as const;
const suffixes: Readonly<Record<string, bigint>> = {
  ...decimal,
  '': billion,
  T: billion * billion * 1_000n,
  P: billion * billion * 1_000_000n,
  E: billion * billion * billion,
  Ki: billion << 10n,
  Mi: billion << 20n,
  Gi: billion << 30n,
  Ti: billion << 40n,
  Pi: billion << 50n,
  Ei: billion << 60n,
};
const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)$/;

/** Undefined for what is no quantity. What is finer than a billionth is rounded up, as Kubernetes does. */
export function parseQuantity(text: string): Billionths | undefined {
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = form.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') return undefined;
  const power = Number(exponent ?? 0) - fraction.length;
  const unit = suffixes[suffix] ?? billion;
  const digits = BigInt(whole + fraction) * unit;
  const amount = power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power));
  return sign === '-' ? -amount : amount;
}

/** The shortest plain form: whole numbers, thousandths (`m`), or finer. */
export function renderQuantity(amount: Billionths): string {
  for (const [suffix, unit] of [
    ['', billion],
    ['m', decimal.m],
    ['u', decimal.u],
  ] as const) {
    if (amount % unit === 0n) return `${amount / unit}${suffix}`;
  }
  return `${amount}n`;
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
