import assert from 'node:assert/strict';
import { clusterOf, joinConfig } from '../../harness/cluster.ts';
import { makeNode, type Node, untilLine } from '../../harness/node.ts';
import { service, webDaemonSet } from '../../harness/objects.ts';
import { podLives } from '../../harness/probe.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';

export const scenario: Scenario = {
  name: 're-image',
  about: 'a host that is installed anew joins again after one command, and a host that takes a living node’s name does not',
  short: false,
  timeout: 900_000,
  run: async (context) => {
    const { step } = context;
    const { first: server, agents } = await clusterOf(context, { servers: 1, agents: 1 });
    const [agent] = agents;
    assert.ok(agent);
    const pod = await step('a pod runs on each node', async () => {
      await server.apply(webDaemonSet('web'), service('web', { app: 'web' }));
      await server.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=120s'], { timeout: 130_000 });
      return await podOn(server, agent.host.name);
    });
    await refuseTwin(context, { server, agent, pod });
    await wipeAndReadopt(context, { server, agent, pod });
  },
};

type Cast = { readonly server: Node; readonly agent: Node; readonly pod: string };

/** The refusal in the log of a node that may not have the name, with the command that lets it. */
const refusal = (name: string): RegExp => new RegExp(`no server lets this node join.*rfo node readopt ${name}\\b`);

async function refuseTwin(context: ScenarioContext, { server, agent, pod }: Cast): Promise<void> {
  const { step, life } = context;
  const { name } = agent.host;
  await step('a second host of the same name is refused, and the first one notices nothing', async () => {
    const before = [await podLives(server, 'web'), await uidOf(server, name), await password(server, name)];
    const config = { ...(await joinConfig(server, 'agent')), 'node-name': name };
    const twin = await context.addNode('twin', { role: 'agent', through: server, config });
    await twin.start();
    await untilLine(twin.service(), refusal(name), { signal: life.signal, within: 120_000 });
    const processes = await twin.host.must(['ps', '-eo', 'args=']);
    assert.doesNotMatch(processes, /kubelet|containerd|kube-proxy|flannel/, 'something of Kubernetes was started there');
    const code = await twin.stop('SIGTERM');
    assert.equal(code, 0);
    assert.deepEqual([await podLives(server, 'web'), await uidOf(server, name), await password(server, name)], before);
    assert.equal(await server.kubectl(['exec', pod, '--', 'hostname']), `${pod}\n`);
    await server.wait(['--for=condition=Ready', `node/${name}`]);
    assert.deepEqual(await addressesOf(server, name), [agent.host.ip]);
  });
}

async function wipeAndReadopt({ step, note, life }: ScenarioContext, { server, agent, pod }: Cast): Promise<void> {
  const { signal } = life;
  const { host } = agent;
  const { name } = host;
  const uid = await uidOf(server, name);
  const lost = await password(server, name);
  const old = await server.kubectl(['get', 'pod', pod, '-o', 'jsonpath={.metadata.uid} {.status.containerStatuses[0].containerID}']);
  const installed = await step('the host is installed anew under its name and address, and is refused', async () => {
    await host.wipe();
    const node = await makeNode(host, { role: 'agent', through: server, config: await joinConfig(server, 'agent'), signal });
    await node.start();
    await untilLine(node.service(), refusal(name), { signal, within: 120_000 });
    return node;
  });
  await step('after rfo node readopt it joins by itself, as the same Node', async () => {
    const begin = performance.now();
    const { code, stdout, stderr } = await server.rfo(['node', 'readopt', name]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`The password of ${name} is forgotten`));
    await installed.untilReady();
    note(`Ready ${((performance.now() - begin) / 1000).toFixed(1)} s after the command; it asks again every 30 s`);
    assert.equal(await uidOf(server, name), uid);
  });
  await step('its pods come back', async () => {
    await server.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=180s'], { timeout: 190_000 });
    await server.wait(['--for=condition=Ready', `pod/${pod}`]);
    const now = await server.kubectl(['get', 'pod', pod, '-o', 'jsonpath={.metadata.uid} {.status.containerStatuses[0].containerID}']);
    assert.equal(now.split(' ')[0], old.split(' ')[0]);
    assert.notEqual(now.split(' ')[1], old.split(' ')[1], 'no disk, and yet the same container');
    assert.equal(await server.kubectl(['exec', pod, '--', 'hostname']), `${pod}\n`);
  });
  await step('the name belongs to the new installation, and the command tells of a name that nobody has', async () => {
    const stored = await password(server, name);
    assert.ok(stored !== '' && stored !== lost, 'the password is that of the lost disk');
    const unknown = await server.rfo(['node', 'readopt', 'agent-l']);
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.stderr, /Did you mean "agent-1"\?/);
    assert.equal(await password(server, name), stored);
  });
}

async function podOn(server: Node, node: string): Promise<string> {
  const name = await server.kubectl(['get', 'pods', '-l', 'app=web', `--field-selector=spec.nodeName=${node}`, '-o', 'name']);
  return name.trim().replace('pod/', '');
}

function uidOf(server: Node, node: string): Promise<string> {
  return server.kubectl(['get', 'node', node, '-o', 'jsonpath={.metadata.uid}']);
}

async function addressesOf(server: Node, node: string): Promise<readonly string[]> {
  const answer = await server.kubectl(['get', 'node', node, '-o', 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}']);
  return answer.split(' ');
}

/** What the servers keep of the password that the name belongs to. */
function password(server: Node, node: string): Promise<string> {
  return server.kubectl(['-n', 'kube-system', 'get', 'secret', `${node}.node-password.rfo`, '-o', 'jsonpath={.data.hash}']);
}
