/** What the programs of the scenario `burst` have in common: many agents in one process that join one server at the same moment. */
import { readFileSync } from 'node:fs';

export type CrowdAgent = {
  readonly nodeName: string;
  readonly nodeIp: string;
  /** The host's own, which outlives the data of rfo. */
  readonly nodePassword: string;
};
export type CrowdOrder = {
  /** `https://<address>:9345` */
  readonly server: string;
  readonly token: string;
  /** Version of Kubernetes that the agents say they have. */
  readonly kubernetes: string;
  /** For what they keep. */
  readonly folder: string;
};

/** A round as it is printed: milliseconds of each that joined, what went wrong, seconds of a processor for all. */
type Round = { readonly times: readonly number[]; readonly failures: readonly string[]; readonly processor: number };

export type Crowd = {
  /** Before a round of agents without any data; no part of their time. */
  readonly empty: (agents: readonly CrowdAgent[], order: CrowdOrder) => Promise<void>;
  /** Joins one; says what went wrong and passed. */
  readonly join: (agent: CrowdAgent, order: CrowdOrder, complain: (what: string) => void) => Promise<void>;
  /** After a round; no part of the agents' time. Gives what is wrong with what they got. */
  readonly verify?: (agents: readonly CrowdAgent[]) => readonly string[];
};

/**
 * Arguments: SERVER TOKEN-FILE KUBERNETES-VERSION FOLDER PREFIX COUNT. It says `ready`. SIGUSR1 begins a round of agents without any data, SIGUSR2
 * one of the same with what they have; SIGTERM ends it. After a round it prints a line of JSON, `Round`.
 */
export function runCrowd({ empty, join, verify = () => [] }: Crowd): void {
  const [server = '', tokenFile = '', kubernetes = '', folder = '', prefix = '', count = ''] = process.argv.slice(2);
  const order: CrowdOrder = { server, token: readFileSync(tokenFile, 'utf8'), kubernetes, folder };
  const agents = Array.from({ length: Number(count) }, (_, number) => agent(prefix, number));

  const round = async (): Promise<void> => {
    const failures: string[] = [];
    const timed = async (one: CrowdAgent): Promise<number | undefined> => {
      const begin = performance.now();
      const complain = (what: string): void => void failures.push(`${one.nodeName}: ${what}`);
      try {
        await join(one, order, complain);
        return performance.now() - begin;
      } catch (error) {
        complain(error instanceof Error ? error.message : String(error));
        return undefined;
      }
    };
    const before = process.cpuUsage();
    const times = await Promise.all(agents.map(timed));
    const { user, system } = process.cpuUsage(before);
    failures.push(...verify(agents));
    const result: Round = { times: times.filter((time) => time !== undefined), failures, processor: (user + system) / 1e6 };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  };
  // Node's own use of SIGUSR1 ends with a listener.
  process.on('SIGUSR1', () => void empty(agents, order).then(round));
  process.on('SIGUSR2', () => void round());
  process.once('SIGTERM', () => process.exit(0));
  // Nothing else holds the process between rounds.
  setInterval(() => undefined, 60_000);
  process.stdout.write('ready\n');
}

function agent(prefix: string, number: number): CrowdAgent {
  return {
    nodeName: `${prefix}-${number}`,
    // Addresses that nobody has.
    nodeIp: `198.18.${Math.floor(number / 250)}.${(number % 250) + 1}`,
    nodePassword: Buffer.from(`${prefix}-${number}`).toString('hex').padStart(32, '0'),
  };
}
