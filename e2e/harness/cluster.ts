/** Clusters of several nodes: the first server, and how others join it. */
import assert from 'node:assert/strict';
import { isVoting } from './etcdctl.ts';
import { eventually } from './eventually.ts';
import { dataDir, type Node, type NodeOptions, type NodeRole } from './node.ts';
import type { ScenarioContext } from './scenario.ts';

export type Cluster = {
  readonly servers: readonly Node[];
  readonly agents: readonly Node[];
  /** The one that the others joined. */
  readonly first: Node;
};
export type Joined = {
  readonly node: Node;
  /** Milliseconds from its start to Ready; a server also votes by then. */
  readonly took: number;
};

/** What a node needs in its configuration to join the cluster of this server; the server must have been ready once. */
export async function joinConfig(first: Node, role: NodeRole): Promise<{ readonly server: string; readonly token: string }> {
  const file = `${dataDir}/server/${role === 'server' ? 'node-token' : 'agent-token'}`;
  return { server: `https://${first.host.ip}:9345`, token: (await first.host.readFile(file)).trim() };
}

/**
 * Makes a host, starts a node on it that joins, and waits until it is Ready; of a server also until its etcd member votes.
 * @param options `config` is added to what joining needs
 */
export async function joinNode(
  context: ScenarioContext,
  join: NodeOptions & { readonly first: Node; readonly name: string; readonly role: NodeRole },
): Promise<Joined> {
  const { first, name, ...options } = join;
  const config = { ...(await joinConfig(first, options.role)), ...options.config };
  const node = await context.addNode(name, { through: first, ...options, config });
  const begin = performance.now();
  await node.start();
  await node.untilReady({ through: first });
  if (options.role === 'server') {
    const votes = async (): Promise<true | undefined> => ((await isVoting(node, first)) ? true : undefined);
    await eventually(`the vote of ${name}`, votes, { signal: context.life.signal, within: 60_000 });
  }
  return { node, took: performance.now() - begin };
}

/**
 * Boots `server-1`, then joins the other servers and after them the agents, one after the other; notes how long each took.
 * @param shape `config` is that of every server and `env` its variables, `agentConfig` that of every agent
 */
export async function clusterOf(
  context: ScenarioContext,
  shape: {
    readonly servers: number;
    readonly agents: number;
    readonly config?: Readonly<Record<string, unknown>>;
    readonly agentConfig?: Readonly<Record<string, unknown>>;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Cluster> {
  const { step, note } = context;
  const { config = {}, agentConfig = {}, env = {} } = shape;
  assert.ok(shape.servers > 0, 'a cluster needs a server');
  const first = await context.addNode('server-1', { config, env });
  await step('server-1 gets ready', async () => {
    await first.start();
    await first.untilReady();
  });
  const join = (name: string, role: NodeRole, own: Pick<NodeOptions, 'config' | 'env'>): Promise<Node> =>
    step(`${name} joins`, async () => {
      const { node, took } = await joinNode(context, { first, name, role, ...own });
      note(`${name}: ${role === 'server' ? 'votes and ' : ''}Ready ${(took / 1000).toFixed(1)} s after its start`);
      return node;
    });
  const servers = [first];
  for (let number = 2; number <= shape.servers; number++) servers.push(await join(`server-${number}`, 'server', { config, env }));
  const agents: Node[] = [];
  for (let number = 1; number <= shape.agents; number++) agents.push(await join(`agent-${number}`, 'agent', { config: agentConfig }));
  return { servers, agents, first };
}
