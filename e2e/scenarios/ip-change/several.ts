import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import { assertClusterWorks, podLives } from '../../harness/probe.ts';
import {
  apiAnswersAt,
  type Context,
  certificatesFollow,
  endpointsFollow,
  etcdFollows,
  execFollows,
  inSeconds,
  nodeFollows,
  podsReachEachOther,
  timed,
  untilStartedAnew,
} from './follows.ts';

type Several = { readonly ip: string; readonly all: readonly Node[]; readonly through: Node };

/** One of three servers: the other two are a majority, and the cluster is never without one. */
export async function changeServer({ step, note, life }: Context, change: Several & { readonly changed: Node }): Promise<void> {
  const { changed, ip, all, through } = change;
  const { signal } = life;
  const { name } = changed.host;
  const servers = all.filter(({ role }) => role === 'server');
  const asked = { through, signal };
  const lives = await podLives(through, 'everywhere');
  await step(`the address of ${name}, one of three servers, changes to ${ip}`, async () => {
    const took = await timed(async () => {
      await changed.host.changeAddress(ip);
      await untilStartedAnew(changed, signal);
    });
    note(`${name} is ready again ${inSeconds(took)} after the change`);
  });
  await step('its member of etcd, its certificates and its endpoint have followed', async () => {
    await nodeFollows(changed, asked);
    await etcdFollows(servers, asked);
    await endpointsFollow(servers, asked);
    await certificatesFollow(changed);
    await apiAnswersAt(changed, through);
  });
  await step('the agent knows its new address, and keeps a tunnel there', async () => {
    for (const agent of all.filter(({ role }) => role === 'agent')) {
      const wanted = servers.map(({ host }) => `${host.ip}:9345`).sort();
      const known = async (): Promise<true> => {
        assert.deepEqual(await knownServers(agent), wanted);
        return true;
      };
      await eventually(`the servers that ${agent.host.name} knows`, known, { signal, within: 120_000 });
    }
    // That server reaches the kubelets of all nodes, of which the agent's accepts no connection.
    for (const node of all) await execFollows(node, { through: changed, signal });
  });
  await step('every pod lives on and reaches every other', async () => {
    assert.equal(await podLives(through, 'everywhere'), lives);
    await podsReachEachOther(all, asked);
    await assertClusterWorks(changed, signal);
  });
}

export async function changeAgent({ step, note, life }: Context, change: Several & { readonly agent: Node }): Promise<void> {
  const { agent, ip, all, through } = change;
  const { signal } = life;
  const asked = { through, signal };
  const lives = await podLives(through, 'everywhere');
  await step(`the address of an agent changes to ${ip}`, async () => {
    const took = await timed(async () => {
      await agent.host.changeAddress(ip);
      await untilStartedAnew(agent, signal);
    });
    note(`the agent is ready again ${inSeconds(took)} after the change`);
  });
  await step('its Node, its certificate and the ways to it have followed', async () => {
    await nodeFollows(agent, asked);
    await certificatesFollow(agent);
    for (const server of all.filter(({ role }) => role === 'server')) await execFollows(agent, { through: server, signal });
  });
  await step('every pod lives on and reaches every other', async () => {
    assert.equal(await podLives(through, 'everywhere'), lives);
    await podsReachEachOther(all, asked);
  });
}

/** What an agent would start from while no server answers. */
async function knownServers(agent: Node): Promise<readonly string[]> {
  const file = join(agent.host.dir, 'disk/var-lib-rancher/rfo/agent/etc/rfo-agent-load-balancer.json');
  const { ServerAddresses } = JSON.parse(await readFile(file, 'utf8')) as { readonly ServerAddresses: readonly string[] };
  return [...ServerAddresses].sort();
}
