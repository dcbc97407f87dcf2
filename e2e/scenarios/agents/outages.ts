import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { eventually } from '../../harness/eventually.ts';
import { dataDir, kubeconfigFile, type Node, untilLine } from '../../harness/node.ts';
import { podLives } from '../../harness/probe.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Agent } from './join.ts';
import type { Pod } from './pods.ts';

/** The agents' pods, and the nodes that they are on. */
type Running = { readonly server: Node; readonly agents: readonly [Agent, Agent]; readonly pods: readonly Pod[] };

/**
 * Milliseconds in which `kubectl exec` works again on every agent, from the moment on that the server's join port answers. Measured on two cores:
 * 0.4 s, and 1.5 s with twenty other processes that want to run; two starts of kubectl are in it.
 */
const tunnelsWithin = 5_000;

export async function killServerProcess({ step, note, life }: ScenarioContext, { server, pods }: Running): Promise<void> {
  await step('the server’s rfo dies and is started again: the tunnels are back, and no pod has noticed', async () => {
    const { signal } = life;
    const lives = await podLives(server, 'web');
    await server.stop('SIGKILL');
    const refused = await server.tryKubectl(['exec', pods[0]?.name ?? '', '--', 'true']);
    assert.notEqual(refused.code, 0, 'exec works without rfo: it does not go through the tunnel');
    await server.start();
    const begin = performance.now();
    const ping = 'until curl -sk -m 1 https://127.0.0.1:9345/ping; do sleep 0.02; done';
    const exec = (pod: Pod): Promise<string> => {
      const script = `until ${dataDir}/bin/kubectl exec ${pod.name} -- true; do sleep 0.05; done`;
      return server.host.must(['sh', '-c', script], { env: { KUBECONFIG: kubeconfigFile }, signal });
    };
    const timed = async (work: Promise<string>): Promise<number> => {
      await work;
      return performance.now() - begin;
    };
    const port = timed(server.host.must(['sh', '-c', ping], { signal }));
    const [answered, ...execs] = await Promise.all([port, ...pods.map((pod) => timed(exec(pod)))]);
    const back = Math.max(...execs) - answered;
    note(
      `its join port answered ${(answered / 1000).toFixed(1)} s after its start, exec on both agents ${(back / 1000).toFixed(1)} s later`,
    );
    assert.ok(back <= tunnelsWithin, `${back} ms`);
    await server.untilReady();
    assert.equal(await podLives(server, 'web'), lives);
  });
}

export async function cutServerPower({ step, note, life }: ScenarioContext, { server, agents, pods }: Running): Promise<void> {
  const { signal } = life;
  const [first, second] = agents;
  const lives = await livesOn(server, pods);
  const containers = await Promise.all(agents.map(webProcesses));
  const secondPid = await second.node.servicePid();
  const logged = await linesOf(first.node);

  await step('no server is left: an agent’s rfo ends and starts without one, says so once, and the pods run on', async () => {
    await server.host.powerCut();
    await first.node.stop('SIGTERM');
    await first.node.start();
    // Ready it cannot be: its Node is not registered with anybody.
    const health = ['curl', '-sS', '-m', '5', 'http://127.0.0.1:10248/healthz'];
    const healthy = async (): Promise<void> => assert.equal(await first.node.host.must(health), 'ok');
    await eventually('a healthy kubelet', () => healthy().then(() => true), { signal });
    const said = (await linesOf(first.node)).slice(logged.length);
    const alone = said.filter((line) => line.includes('starting with what this node remembers of its cluster'));
    assert.equal(alone.length, 1, said.join('\n'));
    assert.deepEqual(await Promise.all(agents.map(webProcesses)), containers);
    for (const [from, to] of [agents, [second, first]] as const) {
      const { name, ip } = pods.find(({ node }) => node === to?.name) ?? assert.fail(`no pod on ${to?.name}`);
      assert.equal(await from?.node.host.must(['curl', '-sS', '-m10', `http://${ip}:8080/`]), `${name}\n`);
    }
  });
  await step('the server gets power again: the agents are Ready without anybody’s doing', async () => {
    const back = Date.now();
    await server.host.boot();
    await server.start();
    await server.untilReady();
    const ready = performance.now();
    await Promise.all(agents.map(({ name }) => eventually(`a word of ${name}`, () => renewedSince(server, name, back), { signal })));
    await server.wait(['--for=condition=Ready', ...agents.map(({ name }) => `node/${name}`)]);
    for (const { name } of pods) await server.kubectl(['exec', name, '--', 'true']);
    note(`both were Ready, with exec, ${((performance.now() - ready) / 1000).toFixed(1)} s after the server`);
    assert.equal(await livesOn(server, pods), lives);
    assert.deepEqual(await Promise.all(agents.map(webProcesses)), containers);
    assert.equal(await second.node.servicePid(), secondPid);
  });
  await step('the agent that started alone says that it is ready', async () => {
    await untilLine(first.node.service(), /: the node is ready$/, { signal, within: 120_000 });
  });
}

/** Without those on the server, which were started anew. */
async function livesOn(server: Node, pods: readonly Pod[]): Promise<string> {
  const names = new Set(pods.map(({ name }) => name));
  const lines = (await podLives(server, 'web')).split('\n');
  return lines.filter((line) => names.has(line.split(' ')[0] ?? '')).join('\n');
}

/** Number and start time of each web server process on the host. */
async function webProcesses({ node }: Agent): Promise<string> {
  const answer = await node.host.must(['sh', '-c', 'ps -eo pid=,lstart=,args= | grep "[h]ttpd -f -p 8080"']);
  assert.ok(answer.trim() !== '', `no web server on ${node.host.name}`);
  return answer;
}

async function linesOf(node: Node): Promise<readonly string[]> {
  return (await readFile(node.service().logFile, 'utf8')).split('\n');
}

/** The kubelet's lease tells that it lives; the condition of its Node stands for 40 s after its last word. */
async function renewedSince(server: Node, name: string, moment: number): Promise<true | undefined> {
  const time = await server.kubectl(['-n', 'kube-node-lease', 'get', 'lease', name, '-o', 'jsonpath={.spec.renewTime}']);
  return Date.parse(time) > moment ? true : undefined;
}
