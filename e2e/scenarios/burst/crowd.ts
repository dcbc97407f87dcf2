/** Hundreds of agents in one process of a host. */
import { join } from 'node:path';
import { joinConfig } from '../../harness/cluster.ts';
import { bounded, type Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { type Host, repository } from '../../lab/index.ts';

/** What a program prints after a round, see apps/rfo/src/join/crowd.testing.ts. */
export type Round = {
  /** Milliseconds that each agent took from its first request to the last answer, the shortest first. */
  readonly times: readonly number[];
  /** What went wrong, of an agent that joined in the end as well. */
  readonly failures: readonly string[];
  /** Seconds of a processor that the agents took together. */
  readonly processor: number;
};

export type Crowd = {
  readonly names: readonly string[];
  /** All join at the same moment. `data`: with what the round before left them; else as hosts that have nothing of rfo but their password. */
  readonly join: (options: { readonly data: boolean }) => Promise<Round>;
  readonly end: () => Promise<void>;
};

/**
 * `requests` says what a joining agent says, and no more; `agents` is rfo's own code with all that it does besides.
 */
const programs = { requests: 'apps/rfo/src/join/crowd.scene.ts', agents: 'apps/rfo/src/agent/crowd.scene.ts' } as const;

export async function makeCrowd(
  { life: { signal } }: ScenarioContext,
  options: { readonly server: Node; readonly host: Host; readonly count: number; readonly program: keyof typeof programs },
): Promise<Crowd> {
  const { server, host, count, program } = options;
  const { server: address, token } = await joinConfig(server, 'agent');
  const version = JSON.parse(await server.kubectl(['version', '-o', 'json'])) as {
    readonly serverVersion: { readonly gitVersion: string };
  };
  await host.writeFile('/run/token', token, '0600');
  // The server goes before: each of these agents would have processors of its own.
  const command = ['nice', '-n', '10', process.execPath, '--disable-warning=ExperimentalWarning', join(repository, programs[program])];
  // In memory: the one disk of this machine is not the disks of hundreds.
  const args = [address, '/run/token', version.serverVersion.gitVersion, `/run/${program}`, program, String(count)];
  const service = await host.spawn(`crowd-${program}`, [...command, ...args]);
  const lines = service.lines(signal)[Symbol.asyncIterator]();
  const next = async (what: string): Promise<string> => {
    const { value, done } = await bounded(lines.next(), { signal, what, within: 120_000 });
    if (done === true) throw new Error(`the crowd ended with exit code ${await service.exited}`);
    return value;
  };
  const first = await next('its readiness');
  if (first !== 'ready') throw new Error(`the crowd says ${first}`);
  return {
    names: Array.from({ length: count }, (_, number) => `${program}-${number}`),
    join: async ({ data }) => {
      service.signal(data ? 'SIGUSR2' : 'SIGUSR1');
      const round = JSON.parse(await next('the end of the round')) as Round;
      return { ...round, times: round.times.toSorted((one, other) => one - other) };
    },
    end: async () => {
      service.signal('SIGTERM');
      await bounded(service.exited, { signal, what: 'the end of the crowd', within: 30_000 });
    },
  };
}
