/** The commands on the one lab that stays from `up` to `down`: each invocation finds it by its name and goes on from the state on disk. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, Life } from '@rfo/foundation';
import type { Host } from './host.ts';
import { createLab, type Lab, openLab } from './lab.ts';
import { reapLab } from './reap.ts';
import { labsFolder, readState } from './state.ts';

/** `RFO_LAB` names another one. */
const id = process.env.RFO_LAB ?? 'hand';
type Enter = (args: readonly string[]) => Promise<number>;

/** @returns the exit code; undefined for what is not such a command, or has not the arguments that it needs */
export async function runByHand(
  command: string,
  args: readonly string[],
  { enter }: { readonly enter: Enter },
): Promise<number | undefined> {
  // All after the host's name belongs to the command.
  if (command === 'shell') return args.length > 0 ? await enter([id, ...args]) : undefined;
  const parsed = parse(args);
  if (parsed === undefined) return undefined;
  const { values, positionals } = parsed;
  if (command === 'up' && positionals.length > 0) return await up(positionals, values.full);
  if (command === 'down') return await down();
  const order = orders[command];
  if (order === undefined || positionals.length !== order.hosts) return undefined;
  const lab = await openLab(id, new AbortController().signal);
  const hosts = positionals.map((name) => hostOf(lab, name));
  await order.act(lab, hosts, values);
  return 0;
}

const options = {
  full: { type: 'boolean', default: false },
  'one-way': { type: 'boolean', default: false },
  delay: { type: 'string', default: '0' },
  jitter: { type: 'string', default: '0' },
  loss: { type: 'string', default: '0' },
} as const;
type Values = { readonly 'one-way': boolean; readonly delay: string; readonly jitter: string; readonly loss: string };
type Order = {
  /** How many it takes. */
  readonly hosts: number;
  readonly act: (lab: Lab, hosts: readonly Host[], values: Values) => Promise<void>;
};

const onHost = (act: (host: Host, lab: Lab, values: Values) => Promise<void>): Order => ({
  hosts: 1,
  act: async (lab, hosts, values) => {
    for (const host of hosts) await act(host, lab, values);
  },
});

const orders: Readonly<Record<string, Order>> = {
  cut: {
    hosts: 2,
    act: async (lab, [from, to], values) => {
      if (from !== undefined && to !== undefined) await lab.cut(from, to, { oneWay: values['one-way'] });
    },
  },
  isolate: onHost((host, lab) => lab.isolate(host)),
  slow: onHost((host, lab, { delay, jitter, loss }) =>
    lab.slow(host, { delayMs: numberOf('delay', delay), jitterMs: numberOf('jitter', jitter), lossPercent: numberOf('loss', loss) }),
  ),
  freeze: onHost((host) => host.freeze()),
  thaw: onHost((host) => host.thaw()),
  heal: { hosts: 0, act: (lab) => lab.heal() },
  kill: onHost((host) => host.powerCut()),
  boot: onHost((host) => host.boot()),
};

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    console.error(`lab: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function up(names: readonly string[], full: boolean): Promise<number> {
  const life = new Life();
  const interrupt = (): void => void life.end(new Error('interrupted')).finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  try {
    const exists = (await readState(join(await labsFolder(), id))) !== undefined;
    const lab = exists ? await openLab(id, life.signal) : await createLab({ name: id, id, life });
    for (const name of names) {
      const host = full ? await lab.addFullHost({ name }) : await lab.addHost({ name });
      console.log(`${host.name}\t${host.ip}`);
    }
    // From here on only "down" removes it.
    await lab.keep();
    return 0;
  } catch (error) {
    // What was made anew goes; hosts that were there before stay.
    await life.end();
    throw error;
  }
}

async function down(): Promise<number> {
  const dir = join(await labsFolder(), id);
  if ((await readState(dir)) === undefined) throw fail('lab-order', { problem: `there is no lab ${id}`, cure: 'See: npm run lab -- list' });
  await reapLab(dir);
  return 0;
}

function hostOf(lab: Lab, name: string): Host {
  const host = lab.hosts().find((one) => one.name === name);
  if (host !== undefined) return host;
  const names = lab.hosts().map((one) => one.name);
  throw fail('lab-order', { problem: `there is no host ${name}`, cure: `Choose from: ${names.join(', ')}` });
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  const most = name === 'loss' ? 100 : 10_000;
  if (text !== '' && value >= 0 && value <= most) return value;
  throw fail('lab-order', { problem: `--${name} ${text} is no number from 0 to ${most}`, cure: 'See: npm run lab' });
}
