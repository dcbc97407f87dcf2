import { parseArgs } from 'node:util';
import { fail } from '@rfo/foundation';

export type TunnelBenchOptions = {
  /** Counted rounds, after one that is not. */
  readonly rounds: number;
  /** Seconds that each figure is measured for in a round. */
  readonly seconds: number;
  readonly streams: number;
};

export const usage = `Usage: npm run bench -- tunnel [--rounds 5] [--seconds 2] [--streams 500]

Carries bytes through a tunnel between two processes of this machine, over TLS on loopback.
  --rounds N    counted rounds, after one that is not counted (5)
  --seconds N   how long each figure is measured for in a round (2)
  --streams N   how many streams run at once where many do (500)
`;

/** @throws flag-unknown, config-invalid */
export function parseTunnelOptions(args: readonly string[]): TunnelBenchOptions {
  const options = {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    streams: { type: 'string', default: '500' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw fail('flag-unknown', { flag: args.join(' '), command: 'bench tunnel', suggestion: usage }, error);
  }
  const whole = (key: keyof typeof options): number => {
    const value = Number(values[key]);
    if (Number.isInteger(value) && value >= 1) return value;
    const problem = `"${values[key]}" is not a whole number of at least 1`;
    throw fail('config-invalid', { key: `--${key}`, where: 'the arguments', problem, cure: 'See npm run bench -- tunnel --help' });
  };
  return { rounds: whole('rounds'), seconds: whole('seconds'), streams: whole('streams') };
}
