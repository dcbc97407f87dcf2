/** `npm run bench -- NAME [options]`: runs one benchmark; without a name it lists them. */
import { interruptible } from '../../scripts/lib/interruptible.ts';

type Benchmark = {
  readonly about: string;
  readonly load: () => Promise<(args: readonly string[], signal: AbortSignal) => Promise<number>>;
};

const benchmarks: Readonly<Record<string, Benchmark>> = {
  ca: {
    about: 'how fast certificates are issued and their status is told, against the real cfssl',
    load: async () => (await import('./ca/command.ts')).benchCa,
  },
  manager: {
    about: 'what the manager of many clusters costs: its door, its tunnel, its memory, and its agent',
    load: async () => (await import('./manager/command.ts')).benchManager,
  },
  start: {
    about: 'start, restart, memory and CPU of a node, against the same parts started by hand',
    load: async () => (await import('./start/command.ts')).benchStart,
  },
  tunnel: {
    about: 'what the tunnel between a node and a server carries, and how fast it answers meanwhile',
    load: async () => (await import('./tunnel/command.ts')).benchTunnel,
  },
};

await interruptible(async (signal) => {
  const [name, ...args] = process.argv.slice(2);
  const chosen = benchmarks[name ?? ''];
  if (chosen === undefined) {
    if (name !== undefined) console.error(`bench: there is no benchmark "${name}"`);
    console.error('usage: npm run bench -- NAME [options]');
    for (const [each, { about }] of Object.entries(benchmarks)) console.error(`  ${each.padEnd(10)}${about}`);
    return 2;
  }
  return await (await chosen.load())(args, signal);
});
