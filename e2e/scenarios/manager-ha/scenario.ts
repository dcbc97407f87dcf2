import assert from 'node:assert/strict';
import { clusterOf } from '../../harness/cluster.ts';
import { eventually } from '../../harness/eventually.ts';
import { importCluster, untilCluster } from '../../harness/manager/import-cluster.ts';
import { startLoad } from '../../harness/manager/load.ts';
import { passwordOf, peopleOn } from '../../harness/manager/people.ts';
import type { Node } from '../../harness/node.ts';
import { configMap, namespace } from '../../harness/objects.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { closeHost } from '../agents/closed-host.ts';
import { bringImage, chartOn, managerNamespace } from './chart.ts';

const port = 30_443;

export const scenario: Scenario = {
  name: 'manager-ha',
  about:
    'three replicas of the manager on three nodes are restarted, one is killed, a node is drained, and whoever works through them hardly notices',
  short: false,
  timeout: 1_800_000,
  run: async (context) => {
    const { step, check, addNode, life, note } = context;
    const { signal } = life;
    const edge = await addNode('edge');
    await closeHost(edge.host);
    await edge.start();
    const { first: hub, agents } = await clusterOf(context, { servers: 1, agents: 2 });
    await step('another cluster, with no port open, is ready as well', async () => {
      await edge.untilReady();
      await Promise.all([...[hub, ...agents].map((node) => bringImage(node, 'manager')), bringImage(edge, 'cluster-agent')]);
    });
    const chart = chartOn(hub);
    const address = `https://${hub.host.ip}:${port}`;
    const values = [`serverUrl=${address}`, 'service.type=NodePort', `service.nodePort=${port}`];
    await step('the chart is installed with three replicas, where no pod may be privileged', async () => {
      await chart.helm('lint', '--strict', chart.file);
      await hub.kubectl(['create', 'namespace', managerNamespace]);
      await hub.kubectl(['label', 'namespace', managerNamespace, 'pod-security.kubernetes.io/enforce=restricted']);
      await chart.install('install', ...values);
      assert.equal((await chart.pods()).length, 3);
    });
    const spread = async (): Promise<void> =>
      assert.deepEqual((await chart.nodes()).sort(), [hub, ...agents].map(({ host }) => host.name).sort());
    await check('each is on a node of its own', spread);
    const pin = await chart.pin();
    const people = peopleOn(hub, { address, pin: () => pin, signal });
    await step('admin signs in, and the other cluster is imported', async () => {
      await people.signIn('admin', await chart.secret('rfo-administrator', 'password'), passwordOf('admin'));
      await importCluster(people, { node: edge, name: 'edge', signal });
      await edge.apply(namespace('shop'), configMap('load', {}, 'shop'));
    });
    await check('one replica at a time may be taken away', async () => {
      const allowed = ['-n', managerNamespace, 'get', 'pdb', 'rfo-manager', '-o', 'jsonpath={.status.disruptionsAllowed}'];
      assert.equal(await hub.kubectl(allowed), '1');
    });
    const ca = await chart.secret('rfo-manager-tls', 'ca.crt');
    const load = await step('people begin to work', () => startLoad(context, { on: hub, people, ca }));
    await step('each replica is replaced by helm', async () => {
      const before = await chart.pods();
      await chart.install('upgrade', ...values, 'log.debug=true');
      await gone(hub, before, signal);
    });
    await load.look('after the upgrade');
    await check('that has cost nobody an error', load.orderly);
    await check('each is on a node of its own again', spread);
    await step('each replica is restarted', async () => {
      const before = await chart.pods();
      await hub.kubectl(['-n', managerNamespace, 'rollout', 'restart', 'deployment/rfo-manager']);
      await hub.kubectl(['-n', managerNamespace, 'rollout', 'status', 'deployment/rfo-manager', '--timeout=300s'], { timeout: 310_000 });
      await gone(hub, before, signal);
    });
    await load.look('after the restart');
    await check('nor has that', load.orderly);
    await check('and still each is on a node of its own', spread);
    await step('the process of the replica that leads is killed, and the kubelet starts it again', async () => {
      const leader = await leaderOf(hub);
      const died = await killProcess(leader, [hub, ...agents]);
      await untilLed(hub, died, signal);
      await hub.wait(['-n', managerNamespace, '--for=condition=Ready', `pod/${leader}`]);
    });
    await load.look('after the kill');
    await step('the pod that leads vanishes, and another one leads', async () => {
      const leader = await leaderOf(hub);
      await hub.kubectl(['-n', managerNamespace, 'delete', 'pod', leader, '--grace-period=0', '--force']);
      await eventually('another leader', async () => ((await leaderOf(hub)) === leader ? undefined : true), { signal });
      await hub.wait(['-n', managerNamespace, '--for=condition=Available', 'deployment/rfo-manager']);
      await untilCluster(people, 'Active', { name: 'edge', signal });
    });
    await load.look('after the loss of a pod');
    await step('a node is drained: its replica goes elsewhere', async () => {
      const drained = agents[0]?.host.name ?? assert.fail();
      assert.ok((await chart.nodes()).includes(drained), 'no replica is there');
      await hub.kubectl(['drain', drained, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=300s'], { timeout: 310_000 });
      await hub.wait(['-n', managerNamespace, '--for=condition=Available', 'deployment/rfo-manager']);
      const nodes = await chart.nodes();
      assert.ok(nodes.length === 3 && !nodes.includes(drained), nodes.join(', '));
      await hub.kubectl(['uncordon', drained]);
      await untilCluster(people, 'Active', { name: 'edge', signal });
    });
    await load.look('after the drain');
    await step('no request failed that was not good when it was sent again, and nothing escaped the watch', () => load.judge());
    await check('whoever has signed in still is, and kubectl works on', async () => {
      assert.match(await people.as('admin', ['whoami']), /^username: admin$/m);
      const { code, stderr } = await people.kubectl('admin', 'edge', ['get', 'nodes']);
      assert.equal(code, 0, stderr);
    });
    await check('all is there again when the chart was uninstalled and is installed', async () => {
      await chart.helm('uninstall', 'rfo-manager', '-n', managerNamespace, '--wait');
      await chart.install('install', ...values);
      await eventually('the first answer', async () => await people.as('admin', ['whoami']), { signal });
      await untilCluster(people, 'Active', { name: 'edge', signal });
    });
    await step('a node loses power: its replica is passed by as soon as Kubernetes has noticed', async () => {
      const places = await chart.nodes();
      const lost = agents.find(({ host }) => places.includes(host.name)) ?? assert.fail(places.join(', '));
      const began = performance.now();
      await lost.host.linkDown();
      await lost.host.powerCut();
      await eventually('every connection to lead to a replica', () => allAnswer(hub, address), { signal });
      note(`every connection leads to a replica ${((performance.now() - began) / 1000).toFixed(1)} s after it`);
      await untilCluster(people, 'Active', { name: 'edge', signal });
      assert.match(await people.as('admin', ['whoami']), /^username: admin$/m);
    });
    await check('the audit is whole, whichever replica wrote it', async () => {
      assert.match(await people.as('admin', ['audit', '--verify']), /^The audit log is whole: \d+ entries/);
    });
  },
};

/** Whether thirty connections in a row, each of which meets any of the replicas that the Service knows, are answered within two seconds. */
async function allAnswer(node: Node, address: string): Promise<true | undefined> {
  for (let count = 0; count < 30; count++) {
    const { code } = await node.host.exec(['curl', '-sk', '-m', '2', '-o', '/dev/null', `${address}/healthz`]);
    if (code !== 0) return undefined;
  }
  return true;
}

/** Waits until none of these pods is left. */
async function gone(node: Node, pods: readonly string[], signal: AbortSignal): Promise<void> {
  for (const pod of pods) {
    const look = async (): Promise<true | undefined> =>
      /NotFound/.test((await node.tryKubectl(['-n', managerNamespace, 'get', 'pod', pod])).stderr) ? true : undefined;
    await eventually(`pod ${pod} to be gone`, look, { signal });
  }
}

async function leaderOf(node: Node): Promise<string> {
  return (await leaseOf(node)).holderIdentity;
}

async function leaseOf(node: Node): Promise<{ readonly holderIdentity: string; readonly renewTime: string }> {
  const text = await node.kubectl(['-n', managerNamespace, 'get', 'lease', 'rfo-manager', '-o', 'json']);
  return (JSON.parse(text) as { readonly spec: { readonly holderIdentity: string; readonly renewTime: string } }).spec;
}

/** Waits until somebody has led after this moment, ms since 1970: the one that died, as soon as it is back, or another one. */
async function untilLed(node: Node, moment: number, signal: AbortSignal): Promise<void> {
  const look = async (): Promise<true | undefined> => (Date.parse((await leaseOf(node)).renewTime) > moment ? true : undefined);
  await eventually('a replica that leads', look, { signal });
}

/** As by a fault: nobody is told, and the kubelet starts another one in its pod. Gives when it died, ms since 1970. */
async function killProcess(pod: string, nodes: readonly Node[]): Promise<number> {
  const [hub] = nodes;
  assert.ok(hub);
  const path = 'jsonpath={.spec.nodeName} {.status.containerStatuses[0].containerID}';
  const [name, container = ''] = (await hub.kubectl(['-n', managerNamespace, 'get', 'pod', pod, '-o', path])).split(' ');
  const node = nodes.find(({ host }) => host.name === name) ?? assert.fail(`${pod} is on node ${name}`);
  const { stdout } = await node.rfo(['crictl', 'inspect', container.replace('containerd://', '')]);
  const { info } = JSON.parse(stdout) as { readonly info: { readonly pid: number } };
  await node.host.must(['kill', '-KILL', String(info.pid)]);
  return Date.now();
}
