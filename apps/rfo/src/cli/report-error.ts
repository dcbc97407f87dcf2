// How a command that failed says so.
import { type RfoError, toRfoError } from '@rfo/foundation';
import type { Output } from './context.ts';

type Surroundings = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: Output;
};

/**
 * Writes `rfo: <text>. <cure>.` for each error; with `--debug` also where it came from.
 * @returns the exit code: that of the errors, the highest where they differ
 */
export function reportError(thrown: unknown, { argv, env, stderr }: Surroundings): number {
  const debug = argv.includes('--debug') || env.RFO_DEBUG === 'true' || env.RFO_DEBUG === '1';
  const errors = flatten(thrown);
  for (const error of errors) stderr.write(`rfo: ${debug ? stackOf(error) : error.message}\n`);
  return Math.max(...errors.map((error) => error.exit));
}

function flatten(thrown: unknown): readonly RfoError[] {
  return thrown instanceof AggregateError && thrown.errors.length > 0 ? thrown.errors.flatMap(flatten) : [toRfoError(thrown)];
}

function stackOf(error: Error): string {
  const own = `${error.message}\n${(error.stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .join('\n')}`;
  return error.cause instanceof Error ? `${own}\ncaused by ${error.cause.name}: ${stackOf(error.cause)}` : own;
}
