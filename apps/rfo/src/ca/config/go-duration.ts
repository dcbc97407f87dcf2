/** Durations as Go writes them (`8760h`, `1h30m`, `1.5s`): time.ParseDuration and Duration.String. */
import { CfsslError } from '../cfssl-error.ts';

/** Nanoseconds of each unit; both letters that look like a mu are one. */
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** What an int64 of nanoseconds holds on the negative side; one less on the other. */
const limit = 1n << 63n;

/**
 * Milliseconds of a duration, with a fraction where it has one below a millisecond. There are no days in Go: `7d` is none.
 * Throws CfsslError 0 under status 500 with Go's own text, as cfssl answers where it passes that on.
 */
export function parseGoDuration(text: string): number {
  const negative = text.startsWith('-');
  const body = text.replace(/^[-+]/, '');
  if (body === '0') return 0;
  if (body === '') throw invalid(text);
  let sum = 0n;
  for (let rest = body; rest !== ''; ) {
    const [whole = '', digits = '', fraction = ''] = /^(\d*)(?:\.(\d*))?/.exec(rest) ?? [];
    if (digits === '' && fraction === '') throw invalid(text);
    const unit = /^[^.\d]*/.exec(rest.slice(whole.length))?.[0] ?? '';
    if (unit === '') throw durationError(`missing unit in duration ${quote(text)}`);
    const size = Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (size === undefined) throw durationError(`unknown unit ${quote(unit)} in duration ${quote(text)}`);
    sum += BigInt(digits || 0) * size + part(fraction, size);
    if (sum > limit) throw invalid(text);
    rest = rest.slice(whole.length + unit.length);
  }
  if (sum === limit && !negative) throw invalid(text);
  return toMilliseconds(negative ? -sum : sum);
}

/** `168h0m0s`, `1m0.5s`, `1.5ms`: how Go prints a duration of that many milliseconds. */
export function formatGoDuration(milliseconds: number): string {
  const whole = Math.trunc(milliseconds);
  const signed = BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6));
  if (signed === 0n) return '0s';
  const sign = signed < 0n ? '-' : '';
  const value = signed < 0n ? -signed : signed;
  if (value < 1_000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${decimal(value, 3)}µs`;
  if (value < 1_000_000_000n) return `${sign}${decimal(value, 6)}ms`;
  const minutes = value / 60_000_000_000n;
  const seconds = `${decimal(value % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** Of `.5` hours and the like, in nanoseconds; what is smaller is cut off. Digits beyond what an int64 holds count for nothing. */
function part(fraction: string, unit: bigint): bigint {
  const digits = fraction.slice(0, 18);
  return (BigInt(digits || 0) * unit) / 10n ** BigInt(digits.length);
}

function toMilliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1e6;
}

/** A number with that many places after the point, without zeros at the end. */
function decimal(value: bigint, places: number): string {
  const text = value.toString().padStart(places + 1, '0');
  const fraction = text.slice(-places).replace(/0+$/, '');
  return `${text.slice(0, -places)}${fraction && `.${fraction}`}`;
}

function invalid(text: string): CfsslError {
  return durationError(`invalid duration ${quote(text)}`);
}

function durationError(problem: string): CfsslError {
  return new CfsslError(0, `time: ${problem}`, 500);
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
