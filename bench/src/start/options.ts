import { parseArgs } from 'node:util';
import { fail } from '@rfo/foundation';
import { type Phase, phases, type Side, sides } from './figures.ts';

export type StartOptions = {
  /** Counted rounds, after one that is not. */
  readonly pairs: number;
  readonly phases: readonly Phase[];
  /** In how many of the rounds the idle minute is measured: it takes longer than all the rest together and scatters least. */
  readonly idleRounds: number;
  readonly sides: readonly Side[];
  readonly trace: boolean;
};

const defaultSides = 'rfo,bare,separate';

export const usage = `Usage: npm run bench -- start [--pairs 5] [--only cold|restart|idle] [--sides rfo,bare,separate,tuned] [--trace]

Starts a node by rfo and by hand in turns, and compares.
  --pairs N   counted rounds, after one that is not counted (5)
  --only      measure this alone, in every round
  --sides     leave sides out, or add: bare is the multicall binary by hand with upstream's default flags, separate upstream's separate
              binaries likewise, tuned (not measured unless named) the multicall binary by hand with all flags of rfo.
              rfo is started once in any case, as the others live on what it makes
  --trace     show what happened when, and where memory goes
`;

/** @throws flag-unknown, config-invalid */
export function parseStartOptions(args: readonly string[]): StartOptions {
  const options = {
    pairs: { type: 'string', default: '5' },
    only: { type: 'string' },
    sides: { type: 'string', default: defaultSides },
    trace: { type: 'boolean', default: false },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw fail('flag-unknown', { flag: args.join(' '), command: 'bench start', suggestion: usage }, error);
  }
  const pairs = Number(values.pairs);
  if (!Number.isInteger(pairs) || pairs < 1) throw invalid('--pairs', `"${values.pairs}" is not a number of rounds`);
  const only = values.only === undefined ? undefined : phases.find((phase) => phase === values.only);
  if (values.only !== undefined && only === undefined) throw invalid('--only', `"${values.only}" is not one of ${phases.join(', ')}`);
  const named = values.sides.split(',');
  const unknown = named.find((name) => !sides.some((side) => side === name));
  if (unknown !== undefined) throw invalid('--sides', `"${unknown}" is not one of ${sides.join(', ')}`);
  return {
    pairs,
    phases: only === undefined ? phases : [only],
    idleRounds: only === 'idle' ? pairs : Math.ceil(pairs * 0.6),
    sides: sides.filter((side) => named.includes(side)),
    trace: values.trace,
  };
}

function invalid(key: string, problem: string): Error {
  return fail('config-invalid', { key, where: 'the arguments', problem, cure: 'See npm run bench -- start --help' });
}
