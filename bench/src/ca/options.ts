import { parseArgs } from 'node:util';
import { fail } from '@rfo/foundation';

export type CaBenchOptions = {
  /** Counted rounds, after one that is not. */
  readonly rounds: number;
  /** Seconds that each figure is measured for in a round. */
  readonly seconds: number;
};

export const usage = `Usage: npm run bench -- ca [--rounds 5] [--seconds 5]

Issues certificates and asks for their status, with RFO and with the real cfssl in turns: the same key, requests and client, both on a database that
is written to the disk.
  --rounds N    counted rounds, after one that is not counted (5)
  --seconds N   how long each figure is measured for in a round (5)
`;

/** @throws flag-unknown, config-invalid */
export function parseCaOptions(args: readonly string[]): CaBenchOptions {
  const options = { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw fail('flag-unknown', { flag: args.join(' '), command: 'bench ca', suggestion: usage }, error);
  }
  const whole = (key: keyof typeof options): number => {
    const value = Number(values[key]);
    if (Number.isInteger(value) && value >= 1) return value;
    const problem = `"${values[key]}" is not a whole number of at least 1`;
    throw fail('config-invalid', { key: `--${key}`, where: 'the arguments', problem, cure: 'See npm run bench -- ca --help' });
  };
  return { rounds: whole('rounds'), seconds: whole('seconds') };
}
