import assert from 'node:assert/strict';
import { joinConfig } from '../../harness/cluster.ts';
import { etcdMembers, isVoting } from '../../harness/etcdctl.ts';
import { eventually } from '../../harness/eventually.ts';
import { dataDir, type Node, untilLine } from '../../harness/node.ts';
import { service, webDaemonSet } from '../../harness/objects.ts';
import { assertClusterWorks, podLives } from '../../harness/probe.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { restartAs, rolesOf, untilApiServers, untilRoles } from './roles.ts';

export const scenario: Scenario = {
  name: 'roles',
  about: 'servers with etcd alone, with the API server alone and without an agent, and how they change what they are',
  short: false,
  timeout: 1_800_000,
  run: async (context) => {
    const { addNode, step, life, note } = context;
    const { signal } = life;
    const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

    const one = await addNode('server-1', { config: { 'disable-apiserver': true } });
    await step('a first server with etcd alone serves, and says what it waits for', async () => {
      await one.start();
      await untilLine(one.service(), /the cluster has no API server yet/, { signal, within: 120_000 });
      await untilLine(one.service(), /etcd and the join API serve: the node gets ready once/, { signal, within: 120_000 });
      assert.deepEqual(
        Object.keys(await one.pids()).filter((name) => name.startsWith('kube-')),
        [],
      );
      assert.equal((await etcdMembers(one)).length, 1);
    });

    const agent = await addNode('agent-1', { role: 'agent', config: await joinConfig(one, 'agent') });
    await step('an agent that comes before the first API server waits', async () => {
      await agent.start();
      await untilLine(agent.service(), /no server answers yet.*the control plane is starting/, { signal, within: 120_000 });
    });

    const two = await addNode('server-2', { config: { ...(await joinConfig(one, 'server')), 'disable-etcd': true }, through: one });
    await step('a server without etcd joins and brings the API', async () => {
      const begin = performance.now();
      await two.start();
      await two.untilReady();
      note(`Ready ${seconds(begin)} after its start`);
      assert.equal((await two.pids()).etcd, undefined);
      assert.deepEqual((await etcdMembers(one)).length, 1);
    });
    await step('the server with etcd and the agent get ready by themselves', async () => {
      await one.untilReady({ through: two });
      await agent.untilReady({ through: two });
      // Through its own load balancer.
      await one.kubectl(['get', 'nodes']);
    });
    await step('nodes show their roles', async () => {
      await untilRoles({ 'server-1': ['etcd'], 'server-2': ['control-plane'], 'agent-1': [] }, { by: two, signal });
      await untilApiServers([two], { by: two, signal });
    });
    const lives = await step('pods run on every node and can be entered', async () => {
      await two.apply(webDaemonSet('web'), service('web', { app: 'web' }));
      await two.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=180s'], { timeout: 190_000 });
      const pods = await podsOf(two);
      assert.equal(pods.length, 3);
      for (const pod of pods) assert.equal((await two.kubectl(['exec', pod, '--', 'hostname'])).trim(), pod);
      await assertClusterWorks(two, signal);
      return await podLives(two, 'web');
    });

    await step('etcd is added to the server without', async () => {
      const { server, token } = await joinConfig(one, 'server');
      await restartAs(two, { server, token });
      await two.untilReady();
      await eventually('the vote of server-2', async () => ((await isVoting(two, one)) ? true : undefined), { signal });
      await untilRoles({ 'server-1': ['etcd'], 'server-2': ['control-plane', 'etcd'] }, { by: two, signal });
    });
    await step('etcd is taken from the other, which gets an API server', async () => {
      const server = `https://${two.host.ip}:9345`;
      await restartAs(one, { server, 'disable-etcd': true });
      await one.untilReady();
      assert.deepEqual(
        (await etcdMembers(two)).map(({ peerURLs }) => peerURLs),
        [[`https://${two.host.ip}:2380`]],
      );
      assert.match(await one.host.must(['ls', `${dataDir}/server/db`]), /^etcd-backup-\d+$/m);
      assert.equal((await one.pids()).etcd, undefined);
      await untilRoles({ 'server-1': ['control-plane'], 'server-2': ['control-plane', 'etcd'] }, { by: one, signal });
      await untilApiServers([one, two], { by: one, signal });
      const shown = await one.kubectl(['get', 'node', 'server-1', '-o', 'jsonpath={.metadata.finalizers}{.metadata.annotations}']);
      assert.doesNotMatch(shown, /etcd\.rfo\.io\/(member|node-name|node-address)/);
      assert.match(shown, /"etcd\.rfo\.io\/removed-node-name":"server-1"/);
    });
    await step('the control plane is taken from the server with etcd: its endpoints go', async () => {
      await restartAs(two, { server: `https://${one.host.ip}:9345`, 'disable-apiserver': true });
      await two.untilReady({ through: one });
      assert.deepEqual(
        Object.keys(await two.pids()).filter((name) => /^kube-(apiserver|controller|scheduler)/.test(name)),
        [],
      );
      await untilApiServers([one], { by: one, signal });
      await untilRoles({ 'server-1': ['control-plane'], 'server-2': ['etcd'], 'agent-1': [] }, { by: one, signal });
    });
    await step('no pod was touched by all that, and the cluster works', async () => {
      assert.equal(await podLives(one, 'web'), lives);
      for (const pod of await podsOf(one)) assert.equal((await one.kubectl(['exec', pod, '--', 'hostname'])).trim(), pod);
      for (const node of [one, two, agent]) await one.wait(['--for=condition=Ready', `node/${node.host.name}`]);
      await assertClusterWorks(one, signal);
    });

    await step('the last member of etcd is not given up', async () => {
      const pids = await two.pids();
      const kept = { server: `https://${one.host.ip}:9345`, 'disable-apiserver': true };
      await restartAs(two, { server: kept.server, 'disable-etcd': true });
      await untilLine(two.service(), /this server cannot do without etcd: server-2-[0-9a-f]{8} is the last member/, {
        signal,
        within: 120_000,
      });
      assert.equal(await two.service().exited, 2);
      assert.equal((await two.pids()).etcd, pids.etcd);
      await two.configure(kept);
      await two.start();
      await two.untilReady({ through: one });
      assert.deepEqual(await rolesOf(one, 'server-2'), ['etcd']);
    });

    await step('a server without an agent goes on serving the others', async () => {
      await restartAs(one, { 'server': `https://${two.host.ip}:9345`, 'disable-etcd': true, 'disable-agent': true });
      await untilLine(one.service(), /this server is no node: its API server reaches kubelets and pods through the tunnels/, {
        signal,
        within: 120_000,
      });
      await untilLine(one.service(), /: the node is ready$/, { signal, within: 300_000 });
      assert.deepEqual(Object.keys(await one.pids()), ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']);
      const ofAgent = await podOn(one, 'agent-1');
      assert.equal((await one.kubectl(['exec', ofAgent, '--', 'hostname'])).trim(), ofAgent);
      await one.kubectl(['delete', 'pod', ofAgent]);
      await eventually(
        'a new pod on agent-1',
        async () => {
          const fresh = await podOn(one, 'agent-1');
          return fresh !== ofAgent && (await isReady(one, fresh)) ? true : undefined;
        },
        { signal },
      );
    });

    const etcds = await step('two servers with nothing but etcd join through the server without it', async () => {
      const token = (await one.host.readFile(`${dataDir}/server/node-token`)).trim();
      const config = { 'server': `https://${one.host.ip}:9345`, token, 'disable-apiserver': true, 'disable-agent': true };
      const joined: Node[] = [];
      for (const name of ['server-3', 'server-4']) {
        const node = await addNode(name, { config });
        await node.start();
        await untilLine(node.service(), /: the node is ready$/, { signal, within: 300_000 });
        assert.deepEqual(Object.keys(await node.pids()), ['etcd']);
        joined.push(node);
      }
      assert.equal((await etcdMembers(two)).filter(({ isLearner }) => !isLearner).length, 3);
      return joined;
    });
    await step('when the etcd that it uses hangs, the server without etcd goes to another', async () => {
      const hosts = [two, ...etcds];
      // Members that came are known within a minute.
      await untilLine(one.service(), /etcd-balancer: follows 3 members of etcd/, { signal, within: 120_000 });
      const used = await etcdUsedBy(one);
      const hanging = hosts.find(({ host }) => host.ip === used);
      assert.ok(hanging, `${used} is no server`);
      const begin = performance.now();
      await hanging.host.freeze();
      const write = (): Promise<string> => one.kubectl(['create', 'configmap', `hang-${Date.now()}`], { timeout: 20_000 });
      await eventually('a write while an etcd hangs', write, { signal });
      note(`the API wrote again ${seconds(begin)} after ${hanging.host.name} hung`);
      assert.notEqual(await etcdUsedBy(one), used);
      await hanging.host.thaw();
      await one.wait(['--for=condition=Ready', 'node/server-2', 'node/agent-1']);
    });
  },
};

/** The address of the etcd member that an API server without its own is connected to. */
async function etcdUsedBy(node: Node): Promise<string> {
  const lines = (await node.host.must(['ss', '-Htn', 'state', 'established', 'dport', '=', ':2379'])).trim().split('\n');
  const peers = new Set(lines.map((line) => (line.trim().split(/\s+/)[3] ?? '').replace(/:2379$/, '')));
  peers.delete('127.0.0.1');
  assert.equal(peers.size, 1, lines.join('\n'));
  return [...peers][0] ?? '';
}

async function podsOf(node: Node): Promise<readonly string[]> {
  return (await node.kubectl(['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ');
}

function podOn(node: Node, name: string): Promise<string> {
  return node.kubectl([
    ...['get', 'pods', '-l', 'app=web', `--field-selector=spec.nodeName=${name}`],
    ...['-o', 'jsonpath={.items[0].metadata.name}'],
  ]);
}

async function isReady(node: Node, pod: string): Promise<boolean> {
  return (await node.kubectl(['get', 'pod', pod, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'])) === 'True';
}
