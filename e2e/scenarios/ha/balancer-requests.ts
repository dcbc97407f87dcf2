/** Requests that go through the load balancer of an agent while servers fail, and what they tell about its fail-over. */
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { longestGap } from '../../harness/acked-writes.ts';
import { dataDir, type Node } from '../../harness/node.ts';
import { configMap } from '../../harness/objects.ts';
import { toolCommand } from '../../harness/tools.ts';

/** See the tool. */
export const ways = ['new', 'kept', 'write'] as const;
export type Way = (typeof ways)[number];

export type BalancerRequests = {
  /** Milliseconds without an answer at the most, between two moments (ms since 1970). */
  readonly longestGap: (way: Way, from: number, to: number) => number;
  /** Waits for an answer that came after this moment. */
  readonly untilAnswered: (way: Way, since: number) => Promise<void>;
  readonly failures: () => readonly string[];
  /** kubectl on the agent's host, by the balancer, as administrator; a code other than 0 throws. */
  readonly kubectl: (args: readonly string[]) => Promise<string>;
};

const credentials = '/run/balancer-requests';
const files = { ca: 'server-ca.crt', cert: 'client-admin.crt', key: 'client-admin.key' } as const;

/** Starts to ask on the agent's host, as an administrator of this server. Namespace `acked` must be there. */
export async function startBalancerRequests(agent: Node, server: Node, signal: AbortSignal): Promise<BalancerRequests> {
  const { host } = agent;
  for (const file of Object.values(files))
    await host.writeFile(join(credentials, file), await server.host.readFile(`${dataDir}/server/tls/${file}`), '0600');
  await server.apply(configMap('balancer', {}, 'acked'));
  const service = await host.spawn('balancer-requests', [...toolCommand('balancer-requests'), credentials]);
  const answers: Record<Way, number[]> = { new: [], kept: [], write: [] };
  const failures: string[] = [];
  const heard = new EventEmitter();
  const follow = async (): Promise<void> => {
    for await (const line of service.lines(signal)) {
      const [word = '', at] = line.split(' ');
      const way = ways.find((each) => each === word);
      if (way === undefined) failures.push(line);
      else answers[way].push(Number(at));
      if (way !== undefined) heard.emit(way);
    }
  };
  // It ends with the scenario.
  follow().catch(() => undefined);
  const flags = [
    '--server=https://127.0.0.1:6443',
    `--certificate-authority=${join(credentials, files.ca)}`,
    `--client-certificate=${join(credentials, files.cert)}`,
    `--client-key=${join(credentials, files.key)}`,
  ];
  return {
    untilAnswered: async (way, since) => {
      const bound = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);
      while ((answers[way].at(-1) ?? 0) <= since) await once(heard, way, { signal: bound });
    },
    longestGap: (way, from, to) => longestGap(answers[way], { from, to }),
    failures: () => failures,
    kubectl: (args) => host.must([join(dataDir, 'bin/kubectl'), ...flags, ...args], { signal, timeout: 60_000 }),
  };
}

/** The server that the agent's balancer uses for the API: the one that rfo has the most connections to. */
export async function serverInUse(agent: Node, servers: readonly Node[]): Promise<Node | undefined> {
  const sockets = await agent.host.must(['ss', '-Htnp', 'state', 'established', 'dport', '=', ':6443']);
  const own = `pid=${await agent.servicePid()},`;
  const lines = sockets.split('\n').filter((line) => line.includes(own));
  const count = ({ host }: Node): number => lines.filter((line) => line.includes(` ${host.ip}:6443`)).length;
  const [first] = [...servers].sort((one, other) => count(other) - count(one));
  return first !== undefined && count(first) > 0 ? first : undefined;
}
