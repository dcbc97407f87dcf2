/** What breaks in practice, done to a server, and what an administrator does about it afterwards. */
import assert from 'node:assert/strict';
import type { Cluster } from '../../harness/cluster.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

export type Fault = {
  /** With the server's name in the place of `%`. */
  readonly title: string;
  /** The other servers do not reach it while it lasts. */
  readonly away: boolean;
  /** Breaks something. */
  readonly strike: (server: Node) => Promise<void>;
  /** Once the cluster works again without it: what it takes until the server can be itself again. */
  readonly mend: (server: Node) => Promise<void>;
};

export type FaultName = 'apiserver' | 'etcd' | 'rfo' | 'power' | 'partition' | 'severed';

export function makeFaults(
  { lab, life }: Pick<ScenarioContext, 'lab' | 'life'>,
  { servers }: Pick<Cluster, 'servers'>,
): Readonly<Record<FaultName, Fault>> {
  const kill = (component: string): Fault => {
    let old = 0;
    return {
      title: `kill -9 of the ${component} of %`,
      away: false,
      strike: async (server) => {
        old = (await server.pids())[component] ?? 0;
        assert.ok(old > 0, `no ${component} runs on ${server.host.name}`);
        await server.host.must(['sh', '-c', `kill -9 ${old}`]);
      },
      mend: async (server) => {
        const look = async (): Promise<true | undefined> =>
          [undefined, old].includes((await server.pids())[component]) ? undefined : true;
        await eventually(`a new ${component} on ${server.host.name}`, look, { signal: life.signal, within: 60_000 });
      },
    };
  };
  let pids: Readonly<Record<string, number>> = {};
  return {
    apiserver: kill('kube-apiserver'),
    etcd: kill('etcd'),
    rfo: {
      title: 'kill -9 of rfo on %',
      away: false,
      strike: async (server) => {
        pids = await server.pids();
        assert.equal(await server.stop('SIGKILL'), 128 + 9);
      },
      mend: async (server) => {
        assert.deepEqual(await server.pids(), pids, 'everything else runs on');
        await server.start();
        await server.untilReady();
        assert.deepEqual(await server.pids(), pids, 'the new one adopts it');
      },
    },
    power: {
      title: 'power cut of %',
      away: true,
      strike: async ({ host }) => {
        // Without a last word: the kernel of a host in the lab closes the connections of processes that are killed.
        await host.linkDown();
        await host.powerCut();
      },
      mend: async (server) => {
        await server.host.boot();
        await server.start();
        await server.untilReady();
      },
    },
    partition: {
      title: '% is cut off from all others',
      away: true,
      strike: ({ host }) => lab.isolate(host),
      mend: () => lab.heal(),
    },
    severed: {
      title: '% is cut off from the other servers, but not from the agent',
      away: true,
      strike: async ({ host }) => {
        for (const other of servers) if (other.host !== host) await lab.cut(host, other.host);
      },
      mend: () => lab.heal(),
    },
  };
}
