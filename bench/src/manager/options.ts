import { parseArgs } from 'node:util';
import { fail } from '@rfo/foundation';

export const rowNames = ['tunnel', 'door', 'pods', 'agent', 'crowd'] as const;
export type RowName = (typeof rowNames)[number];

export type ManagerBenchOptions = {
  readonly rows: readonly RowName[];
  /** Counted rounds of door and tunnel, after one that is not. */
  readonly rounds: number;
  /** Seconds that each figure of door and tunnel is measured for in a round. */
  readonly seconds: number;
  /** Requests to the door in a second. */
  readonly rate: number;
  readonly clusters: number;
  /** Where the manager under load writes its CPU profiles. */
  readonly profile: string | undefined;
};

export const usage = `Usage: npm run bench -- manager [--rows tunnel,door,pods,agent,crowd] [--rounds 3] [--seconds 2] [--rate 500] [--clusters 300]

What the manager costs between people and their clusters, each figure beside its floor, with a real etcd and kube-apiserver, the real programs of the
manager and of the agent, and the real kubectl.
  --rows A,B     only these (all)
  --rounds N     counted rounds of door and tunnel, after one that is not counted (3)
  --seconds N    how long each of their figures is measured for in a round (2)
  --rate N       requests to the door in a second (500)
  --clusters N   how many clusters a manager has in the row crowd (300)
  --profile DIR  let the manager write a CPU profile there when it ends
`;

/** @throws flag-unknown, config-invalid */
export function parseManagerOptions(args: readonly string[]): ManagerBenchOptions {
  const options = {
    rows: { type: 'string', default: rowNames.join(',') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    rate: { type: 'string', default: '500' },
    clusters: { type: 'string', default: '300' },
    profile: { type: 'string' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw fail('flag-unknown', { flag: args.join(' '), command: 'bench manager', suggestion: usage }, error);
  }
  const invalid = (key: keyof typeof options, problem: string): Error =>
    fail('config-invalid', { key: `--${key}`, where: 'the arguments', problem, cure: 'See npm run bench -- manager --help' });
  const whole = (key: 'rounds' | 'seconds' | 'rate' | 'clusters'): number => {
    const value = Number(values[key]);
    if (Number.isInteger(value) && value >= 1) return value;
    throw invalid(key, `"${values[key]}" is not a whole number of at least 1`);
  };
  const asked = values.rows.split(',');
  const unknown = asked.find((name) => !rowNames.some((each) => each === name));
  if (unknown !== undefined) throw invalid('rows', `there is no row "${unknown}", only ${rowNames.join(', ')}`);
  return {
    rows: rowNames.filter((name) => asked.includes(name)),
    rounds: whole('rounds'),
    seconds: whole('seconds'),
    rate: whole('rate'),
    clusters: whole('clusters'),
    profile: values.profile,
  };
}
