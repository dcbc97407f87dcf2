/** The manager gets a name that leads to each server in the place of the virtual IP. */
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { agentNamespace, untilCluster } from '../../harness/manager/import-cluster.ts';
import { type People, passwordOf, peopleOn } from '../../harness/manager/people.ts';
import { type Node, untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { toolCommand } from '../../harness/tools.ts';

/** In the certificate by `tls-san`. */
export const managerName = 'rfo.test';
const address = `https://${managerName}:8443`;

/** What a host has for its pods to resolve names with, before its node starts. */
export async function askOwnNameServer({ host }: Node): Promise<void> {
  await host.writeFile('/etc/resolv.conf', `nameserver ${host.ip}\n`);
}

/**
 * Moves the agents of `edge` to a name, cuts the power of the server that they are connected to, which is the first that the name stands for, and sees
 * agents and people come to another one.
 * @param given.people by the address of before, which leads to `holder`
 */
export async function moveToName(
  { step, life, note }: Pick<ScenarioContext, 'step' | 'life' | 'note'>,
  given: { readonly edge: Node; readonly holder: Node; readonly others: readonly Node[]; readonly people: People; readonly pin: string },
): Promise<void> {
  const { edge, holder, others, people, pin } = given;
  const { signal } = life;
  const [through] = others;
  assert.ok(through);
  await step('the manager gets a name that stands for every server, and agents learn it before they need it', async () => {
    const ips = [holder, ...others].map(({ host }) => host.ip);
    const service = await edge.host.spawn('name-server', [...toolCommand('name-server'), edge.host.ip, managerName, ...ips]);
    await untilLine(service, /^it answers$/, { signal, within: 30_000 });
    await through.apply(setting('server-url-next', address));
    const moved = async (): Promise<void> => {
      const path = 'jsonpath={.metadata.annotations.rfo\\.io/moved}';
      assert.equal(await through.kubectl(['get', 'settings.rfo.io', 'server-url-next', '-o', path]), '1/1');
    };
    await eventually('all clusters to know the name', async () => moved().then(() => true as const), { signal });
    await through.apply(setting('server-url', address));
    await through.kubectl(['delete', 'settings.rfo.io', 'server-url-next']);
    await eventually('the agents to know nothing else', async () => ((await knownTo(edge)) === address ? true : undefined), { signal });
  });
  await step('power cut of the server that the agents are connected to: they come to another one by the name', async () => {
    const began = performance.now();
    await holder.host.linkDown();
    await holder.host.powerCut();
    const named = peopleOn(edge, { address, pin: () => pin, signal });
    await named.signIn('admin', passwordOf('admin'));
    // kubectl waits some seconds for an address that is silent before it tries the next.
    const ask = ['get', '--raw', '/version', '--request-timeout=20s'];
    const answers = async (): Promise<true | undefined> => ((await named.kubectl('admin', 'edge', ask)).code === 0 ? true : undefined);
    await eventually('an answer of edge by the name', answers, { signal });
    note(`edge answers by the name ${((performance.now() - began) / 1000).toFixed(1)} s after it`);
    await untilCluster(people, 'Active', { name: 'edge', signal });
  });
}

function setting(name: string, value: string): object {
  return { apiVersion: 'rfo.io/v1alpha1', kind: 'Setting', metadata: { name }, spec: { value } };
}

/** The addresses of the manager that the agents of a cluster have kept. */
async function knownTo(edge: Node): Promise<string> {
  const text = await edge.kubectl(['-n', agentNamespace, 'get', 'secret', 'rfo-cluster-agent', '-o', 'json']);
  const { data } = JSON.parse(text) as { readonly data: Readonly<Record<string, string>> };
  const settings = JSON.parse(Buffer.from(data['settings.json'] ?? '', 'base64').toString()) as {
    readonly servers: readonly string[];
  };
  return settings.servers.join(' ');
}
