/**
 * Divides what a project may use among its namespaces. ResourceQuota knows single namespaces only, and a sum over several cannot be kept by
 * looking on: so each gets an equal part, and the parts together are exactly the whole, whatever each of them does.
 */
import { type Billionths, parseQuantity, renderQuantity } from './quantity.ts';

export type Amounts = Readonly<Record<string, string>>;

/** CPUs are counted in thousandths. Bytes and pieces cannot be cut. */
const thousandth = 1_000_000n;
const piece = 1_000_000_000n;

/**
 * The parts in order. What cannot be divided evenly goes to the first ones, a unit each: 10 pods among three are 4, 3 and 3.
 * Amounts that are no quantities are left out.
 */
export function divideQuota(hard: Amounts, count: number): Amounts[] {
  const amounts = Object.entries(hard).flatMap(([name, text]): [string, Billionths][] => {
    const amount = parseQuantity(text);
    return amount === undefined || amount < 0n ? [] : [[name, amount]];
  });
  return Array.from({ length: count }, (_, index) =>
    Object.fromEntries(amounts.map(([name, amount]) => [name, renderQuantity(part(amount, { unit: unitOf(name), count, index }))])),
  );
}

/** Adds amounts by name. */
export function sumAmounts(all: readonly Amounts[]): Amounts {
  const sums = new Map<string, Billionths>();
  for (const amounts of all) {
    for (const [name, text] of Object.entries(amounts)) sums.set(name, (sums.get(name) ?? 0n) + (parseQuantity(text) ?? 0n));
  }
  return Object.fromEntries([...sums].map(([name, sum]) => [name, renderQuantity(sum)]));
}

function part(
  amount: Billionths,
  { unit, count, index }: { readonly unit: bigint; readonly count: number; readonly index: number },
): Billionths {
  const units = amount / unit;
  const [each, rest] = [units / BigInt(count), units % BigInt(count)];
  return (each + (BigInt(index) < rest ? 1n : 0n)) * unit;
}

function unitOf(resource: string): bigint {
  return /(^|\.)cpu$/.test(resource) ? thousandth : piece;
}
