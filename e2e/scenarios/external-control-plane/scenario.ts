import assert from 'node:assert/strict';
import { joinConfig } from '../../harness/cluster.ts';
import { eventually } from '../../harness/eventually.ts';
import { assertSameFootprint, footprintOf } from '../../harness/footprint.ts';
import { type Node, untilLine } from '../../harness/node.ts';
import { service, webDaemonSet } from '../../harness/objects.ts';
import { podLives } from '../../harness/probe.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import type { Host } from '../../lab/index.ts';
import { checkPodNetwork, webPods } from '../agents/pods.ts';
import { checkStreams } from '../agents/streams.ts';
import { closeNode } from './firewall.ts';
import { assertAsked, assertUnreachable, deployWebhook } from './webhook.ts';

export const scenario: Scenario = {
  name: 'external-control-plane',
  about: 'a server that is no node reaches kubelets, webhooks and aggregated APIs by tunnels, then by routes; nothing of a node is on it',
  short: false,
  timeout: 1_500_000,
  run: async (context) => {
    const { addNode, lab, step, check, life, note } = context;
    const { signal } = life;
    const server = await addNode('control', { config: { 'disable-agent': true } });
    const router = await lab.addHost({ name: 'router' });
    const before = await footprintOf(server.host);

    await step('the host is checked as what it is to be', async () => {
      const { code, stdout } = await server.rfo(['check']);
      assert.equal(code, 0, stdout);
      assert.doesNotMatch(stdout, /cgroups|kernel module|image layers|name servers|swap/);
    });
    await step('the server is ready without a node', async () => {
      const begin = performance.now();
      await server.start();
      await untilLine(server.service(), /its API server reaches kubelets and pods through the tunnels of the nodes/, {
        signal,
        within: 60_000,
      });
      await untilReady(server, signal);
      note(`ready ${((performance.now() - begin) / 1000).toFixed(1)} s after its start`);
      assert.equal((await server.kubectl(['get', 'nodes', '-o', 'name'])).trim(), '');
    });

    const agents: Node[] = [];
    for (const name of ['agent-1', 'agent-2'])
      agents.push(await addNode(name, { role: 'agent', through: server, config: await joinConfig(server, 'agent') }));
    const close = async (servers: readonly Host[] = []): Promise<void> => {
      for (const { host } of agents) await closeNode(host, others(agents, host), servers);
    };
    await close();
    await step('two agents join whose ports are closed to it', async () => {
      for (const agent of agents) await agent.start();
      for (const agent of agents) await agent.untilReady();
    });
    await check('nothing of a node is on the host of the server', () => assertNoNode(server));
    await step('a pod runs on each of them, and the add-ons', async () => {
      await server.apply(webDaemonSet('web'), service('web', { app: 'web' }));
      await server.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=180s'], { timeout: 190_000 });
      await server.wait(['-n', 'kube-system', '--for=condition=Available', 'deployment/coredns', 'deployment/metrics-server']);
    });
    const pods = await webPods(server);
    assert.deepEqual(pods.map(({ node }) => node).sort(), ['agent-1', 'agent-2']);
    await checkPodNetwork(context, server, pods);
    await check('the server itself has no way to pods and kubelets', async () => {
      for (const { ip } of pods) assert.notEqual(await curl(server, `http://${ip}:8080/`), 0);
      for (const { host } of agents) assert.notEqual(await curl(server, `https://${host.ip}:10250/healthz`), 0);
    });
    await checkStreams(context, server, pods);
    await checkMetrics(context, server, agents);
    await step('a webhook in pods behind a ClusterIP is asked through the tunnels of both nodes', async () => {
      await deployWebhook(server);
      await assertAsked(server, signal);
    });

    const lives = await podLives(server, 'web');
    await step('the server is started again: all of it is back, and no pod has noticed', async () => {
      assert.equal(await server.stop('SIGTERM'), 0);
      await server.start();
      await untilReady(server, signal);
      await assertAsked(server, signal);
      for (const { name } of pods)
        await eventually(`exec in ${name}`, () => server.kubectl(['exec', name, '--', 'true']), { signal, within: 60_000 });
      assert.equal(await podLives(server, 'web'), lives);
    });

    await step('without tunnels and routes the webhook is out of reach', async () => {
      await server.configure({ 'disable-agent': true, 'egress-selector-mode': 'disabled' });
      assert.equal(await server.stop('SIGUSR2'), 0);
      await server.start();
      await untilLine(server.service(), /is no node and uses no tunnels: it reaches .* by the routes of this host/, {
        signal,
        within: 60_000,
      });
      await untilReady(server, signal);
      await server.host.must(['test', '!', '-e', '/run/rfo/egress.sock']);
      await assertUnreachable(server, signal);
    });
    await step('with the routes that BGP would bring, all is reached directly', async () => {
      // A router that knows the pods of each node, as speakers on the nodes would tell it, and a default way to it.
      await close([server.host]);
      await router.must(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
      for (const { host } of agents) await router.must(['ip', 'route', 'add', await podRange(server, host.name), 'via', host.ip]);
      await server.host.must(['ip', 'route', 'add', '10.42.0.0/16', 'via', router.ip]);
      await assertAsked(server, signal);
    });
    await checkStreams(context, server, pods);
    await checkMetrics(context, server, agents);

    await step('Ctrl-C of the server leaves nothing on its host', async () => {
      await assertNoNode(server);
      const code = await server.stop('SIGINT');
      assert.ok(code === 0 || code === 130, `exit code ${code}`);
      await server.host.must(['ip', 'route', 'del', '10.42.0.0/16']);
      assertSameFootprint(await footprintOf(server.host), before);
    });
  },
};

async function untilReady(server: Node, signal: AbortSignal): Promise<void> {
  await untilLine(server.service(), /: the node is ready$/, { signal, within: 300_000 });
}

/** Neither a part of a node, nor what they leave: interfaces, containers' folders, rules. */
async function assertNoNode(server: Node): Promise<void> {
  assert.deepEqual(Object.keys(await server.pids()), ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']);
  const processes = await server.host.must(['ps', '-eo', 'args=']);
  assert.doesNotMatch(processes, /\b(kubelet|containerd|flanneld|kube-proxy)\b(?!-)/);
  const interfaces = await server.host.must(['sh', '-c', 'ls /sys/class/net | sort | xargs']);
  assert.equal(interfaces.trim(), 'eth0 lo');
  for (const folder of ['/var/lib/kubelet', '/etc/cni', '/run/flannel', '/run/rfo/containerd']) {
    const { stdout } = await server.host.exec(['sh', '-c', `ls -A ${folder} 2>/dev/null`]);
    assert.equal(stdout, '', folder);
  }
  assert.equal((await server.host.must(['nft', 'list', 'ruleset'])).trim(), '');
}

async function checkMetrics({ check, life }: ScenarioContext, server: Node, agents: readonly Node[]): Promise<void> {
  await check('an aggregated API answers: kubectl top knows both nodes', async () => {
    const all = async (): Promise<true> => {
      const lines = (await server.kubectl(['top', 'node', '--no-headers'])).trim().split('\n').sort();
      assert.equal(lines.length, agents.length);
      for (const [index, { host }] of agents.entries()) assert.match(lines[index] ?? '', new RegExp(`^${host.name} +\\d+m +\\d+% +\\d+Mi`));
      return true;
    };
    await eventually('figures of both nodes', all, { signal: life.signal, within: 180_000 });
  });
}

function others(agents: readonly Node[], host: Host): readonly Host[] {
  return agents.map((agent) => agent.host).filter((other) => other !== host);
}

async function podRange(server: Node, node: string): Promise<string> {
  return (await server.kubectl(['get', 'node', node, '-o', 'jsonpath={.spec.podCIDR}'])).trim();
}

/** Exit code of curl. */
async function curl({ host }: Node, url: string): Promise<number> {
  return (await host.exec(['curl', '-sk', '-m', '2', '-o', '/dev/null', url])).code;
}
