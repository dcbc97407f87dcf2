import assert from 'node:assert/strict';
import { joinConfig } from '../../harness/cluster.ts';
import { assertSameFootprint, type Footprint, footprintOf } from '../../harness/footprint.ts';
import { type Node, untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { closeHost } from './closed-host.ts';

export type Agent = {
  readonly node: Node;
  /** What its Node is called. */
  readonly name: string;
  /** Of its host, before its first start. */
  readonly before: Footprint;
};

const tokenFile = '/etc/rancher/rfo/join/token';

/** Its address is not that of its default route, and it has all that a node registers with. */
export async function joinLabelled(context: ScenarioContext, server: Node): Promise<Agent> {
  const node = await context.addNode('agent-1', { role: 'agent', through: server });
  const { host } = node;
  const address = secondAddress(node);
  await host.must(['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
  await node.configure({
    ...(await joinConfig(server, 'agent')),
    'node-ip': [address],
    'node-label': ['example.com/hall=north', 'tier=edge'],
    'node-taint': ['edge=only:NoSchedule'],
  });
  const before = await close(node);
  await context.step('agent-1 joins with its ports closed', async () => {
    const begin = performance.now();
    await node.start();
    await node.untilReady();
    context.note(`agent-1: Ready ${seconds(begin)} s after its start`);
  });
  return { node, name: 'agent-1', before };
}

/** It is started before its token is there, and has an id in its name. */
export async function joinLate(context: ScenarioContext, server: Node): Promise<Agent> {
  const { signal } = context.life;
  const { server: address, token } = await joinConfig(server, 'agent');
  const node = await context.addNode('agent-2', {
    role: 'agent',
    through: server,
    config: { 'server': address, 'token-file': tokenFile, 'with-node-id': true },
  });
  const before = await close(node);
  await context.step('agent-2 waits for a token file that is not there yet', async () => {
    await node.start();
    await untilLine(node.service(), /the token file is not there yet: waiting for it/, { signal, within: 60_000 });
  });
  const name = await context.step('agent-2 joins the moment the file appears', async () => {
    // Its folder does not exist either.
    await node.host.writeFile(tokenFile, `${token}\n`, '0600');
    const begin = performance.now();
    await untilLine(node.service(), /: the node is ready$/, { signal, within: 300_000 });
    context.note(`agent-2: Ready ${seconds(begin)} s after its token came`);
    return `agent-2-${(await node.host.readFile('/etc/rancher/node/id')).trim()}`;
  });
  return { node, name, before };
}

export async function checkRegistration({ check }: ScenarioContext, server: Node, agents: readonly [Agent, Agent]): Promise<void> {
  const [first, second] = agents;
  await check('labels, taints, addresses and names are as configured', async () => {
    type Registered = {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly taints?: readonly { readonly key: string }[] };
      readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
    };
    // The controller-manager takes those of a node that was not ready away when it looks at it next.
    const ownTaints = ({ spec }: Registered): readonly object[] =>
      (spec.taints ?? []).filter(({ key }) => !key.startsWith('node.kubernetes.io/'));
    const read = async (name: string): Promise<Registered> =>
      JSON.parse(await server.kubectl(['get', 'node', name, '-o', 'json'])) as Registered;
    const one = await read(first.name);
    assert.equal(one.metadata.labels['example.com/hall'], 'north');
    assert.equal(one.metadata.labels.tier, 'edge');
    assert.deepEqual(ownTaints(one), [{ key: 'edge', value: 'only', effect: 'NoSchedule' }]);
    const internal = one.status.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
    assert.deepEqual(internal, [secondAddress(first.node)]);
    assert.match(second.name, /^agent-2-[0-9a-f]{8}$/);
    const other = await read(second.name);
    assert.equal(other.metadata.labels['kubernetes.io/hostname'], second.name);
    assert.deepEqual(ownTaints(other), []);
    const names = (await server.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ').sort();
    assert.deepEqual(names, [first.name, second.name, server.host.name].sort());
  });
}

export async function endAgent({ step }: ScenarioContext, { node, before }: Agent): Promise<void> {
  await step(`Ctrl-C of ${node.host.name} leaves nothing on its host`, async () => {
    const code = await node.stop('SIGINT');
    assert.ok(code === 0 || code === 130, `exit code ${code}`);
    assertSameFootprint(await footprintOf(node.host), before);
  });
}

async function close(node: Node): Promise<Footprint> {
  await closeHost(node.host);
  return await footprintOf(node.host);
}

/** One that the host's default route does not lead to. */
function secondAddress({ host }: Node): string {
  const parts = host.ip.split('.');
  return [...parts.slice(0, 3), String(Number(parts[3]) + 100)].join('.');
}

function seconds(begin: number): string {
  return ((performance.now() - begin) / 1000).toFixed(1);
}
