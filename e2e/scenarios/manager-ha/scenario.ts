import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { importCluster, untilCluster } from '../../harness/manager/import-cluster.ts';
import { type People, passwordOf, peopleOn } from '../../harness/manager/people.ts';
import { type Node, untilLine } from '../../harness/node.ts';
import { configMap, namespace } from '../../harness/objects.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { toolCommand } from '../../harness/tools.ts';
import type { LoadReport, LoadSettings } from '../../tools/manager-load.ts';
import { closeHost } from '../agents/closed-host.ts';
import { bringImage, type Chart, chartOn, managerNamespace } from './chart.ts';

const port = 30_443;

export const scenario: Scenario = {
  name: 'manager-ha',
  about: 'three replicas of the manager are restarted one after the other and one is killed, and whoever works through them hardly notices',
  short: false,
  timeout: 1_800_000,
  run: async (context) => {
    const { step, check, addNode, life } = context;
    const { signal } = life;
    const [hub, edge] = await Promise.all([addNode('hub'), addNode('edge')]);
    await step('two clusters get ready, one of them with no port open', async () => {
      await Promise.all([closeHost(edge.host), bringImage(hub, 'manager'), bringImage(edge, 'cluster-agent')]);
      await Promise.all([hub, edge].map((node) => node.start()));
      await Promise.all([hub, edge].map((node) => node.untilReady()));
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
    const load = await step('people begin to work', () => startLoad(context, { hub, people, chart }));
    await step('each replica is replaced by helm', async () => {
      const before = await chart.pods();
      await chart.install('upgrade', ...values, 'log.debug=true');
      await gone(hub, before, signal);
    });
    await load.look('after the upgrade');
    await check('that has cost nobody an error', load.orderly);
    await step('each replica is restarted', async () => {
      const before = await chart.pods();
      await hub.kubectl(['-n', managerNamespace, 'rollout', 'restart', 'deployment/rfo-manager']);
      await hub.kubectl(['-n', managerNamespace, 'rollout', 'status', 'deployment/rfo-manager', '--timeout=300s'], { timeout: 310_000 });
      await gone(hub, before, signal);
    });
    await load.look('after the restart');
    await check('nor has that', load.orderly);
    await step('the process of the replica that leads is killed, and the kubelet starts it again', async () => {
      const leader = await leaderOf(hub);
      const died = await killProcess(hub, leader);
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
    await step('no request failed that was not good when it was sent again, and nothing escaped the watch', load.judge);
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
    await check('the audit is whole, whichever replica wrote it', async () => {
      assert.match(await people.as('admin', ['audit', '--verify']), /^The audit log is whole: \d+ entries/);
    });
  },
};

type Load = {
  /** Notes what went wrong since the last look. */
  readonly look: (when: string) => Promise<void>;
  /** Throws where an error was answered so far. Only the connection may have ended as a request was sent. */
  readonly orderly: () => Promise<void>;
  /** Throws where a request has failed for good, or a write was not seen. */
  readonly judge: () => Promise<void>;
};

/** Starts the load, and waits until some of it has gone through. */
async function startLoad(
  { life, note }: ScenarioContext,
  { hub, people, chart }: { readonly hub: Node; readonly people: People; readonly chart: Chart },
): Promise<Load> {
  const { signal } = life;
  const token = (await people.as('admin', ['tokens', 'create', '--ttl', '24h'])).trim();
  const ca = await chart.secret('rfo-manager-tls', 'ca.crt');
  const settings: LoadSettings = { address: people.address, ca, token, cluster: 'edge', namespace: 'shop' };
  await hub.host.writeFile('/root/load.json', JSON.stringify(settings), '0600');
  const service = await hub.host.spawn('load', [...toolCommand('manager-load'), '/root/load.json']);
  await untilLine(service, /^it works$/, { signal, within: 60_000 });
  let told = 0;
  const read = async (): Promise<readonly string[]> =>
    (await hub.host.readFile('/root/load.log')).split('\n').filter((line) => line !== '');
  return {
    orderly: async () => {
      const answered = (await read()).filter((line) => /: (status )?\d{3}\b/.test(line));
      assert.deepEqual(answered, []);
    },
    look: async (when) => {
      const lines = await read();
      note(`${when}: ${lines.length - told} of the requests and watches were sent again`);
      for (const line of lines.slice(told)) note(`  ${line}`);
      told = lines.length;
    },
    judge: async () => {
      service.signal('SIGTERM');
      let report: LoadReport | undefined;
      for await (const line of service.lines(signal)) if (line.startsWith('{')) report = JSON.parse(line) as LoadReport;
      assert.ok(report, 'no report of the load');
      const { sent, again, failed, slowest, watch } = report;
      note(`${sent} requests, ${again} of them sent again, the slowest took ${(slowest / 1000).toFixed(1)} s`);
      note(`the watch was opened ${watch.opened} times and saw ${watch.seen} writes`);
      assert.ok(sent > 100 && watch.seen > 100, 'hardly anything was sent');
      assert.deepEqual(failed, []);
      assert.deepEqual(watch.missed, []);
    },
  };
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
async function killProcess(node: Node, pod: string): Promise<number> {
  const path = 'jsonpath={.status.containerStatuses[0].containerID}';
  const container = (await node.kubectl(['-n', managerNamespace, 'get', 'pod', pod, '-o', path])).replace('containerd://', '');
  const { stdout } = await node.rfo(['crictl', 'inspect', container]);
  const { info } = JSON.parse(stdout) as { readonly info: { readonly pid: number } };
  await node.host.must(['kill', '-KILL', String(info.pid)]);
  return Date.now();
}
