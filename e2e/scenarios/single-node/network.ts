import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { type Host, repository } from '../../lab/index.ts';

/** Cluster DNS, ClusterIP, NodePort, hostPort and the way out of a pod. */
export async function checkNetwork(
  { check, step, life, note }: ScenarioContext,
  hosts: { readonly node: Node; readonly world: Host },
): Promise<void> {
  const { node, world } = hosts;
  const { signal } = life;
  const inPod = (script: string): Promise<string> =>
    node.kubectl(['-n', 'demo', 'exec', 'client', '--', 'sh', '-c', script], { timeout: 30_000 });
  const web = /^web-[a-z0-9]+-[a-z0-9]+\n$/;

  await step('cluster DNS is up', async () => {
    await node.wait(['-n', 'kube-system', '--for=create', 'deployment/coredns']);
    await node.wait(['-n', 'kube-system', '--for=condition=Available', 'deployment/coredns']);
  });
  await check('a pod reaches both pods of the Service by its name', async () => {
    const answers = new Set<string>();
    await eventually(
      'answers of two pods',
      async () => {
        const answer = await inPod('wget -qO- http://web.demo.svc.cluster.local/');
        assert.match(answer, web);
        answers.add(answer);
        return answers.size === 2 ? true : undefined;
      },
      { signal, within: 60_000 },
    );
    assert.match(await inPod('wget -qO- http://web/'), web);
  });
  await check('a name outside the cluster fails at once instead of hanging', async () => {
    const begin = performance.now();
    assert.notEqual((await node.tryKubectl(['-n', 'demo', 'exec', 'client', '--', 'nslookup', 'example.invalid.'])).code, 0);
    note(`refused in ${(performance.now() - begin).toFixed()} ms`);
  });
  await check('the NodePort answers on the node and to the world', async () => {
    for (const host of [node.host, world]) {
      const answer = await eventually(
        'an answer of the NodePort',
        () => host.must(['curl', '-sS', '-m5', `http://${node.host.ip}:30080/`]),
        { signal, within: 60_000 },
      );
      assert.match(answer, web, host.name);
    }
  });
  await check('the hostPort answers on the node and to the world', async () => {
    for (const host of [node.host, world]) {
      assert.equal(await host.must(['curl', '-sS', '-m5', `http://${node.host.ip}:8088/`]), 'host-port\n', host.name);
    }
  });
  await check('a pod reaches the world, which sees the node', async () => {
    const program = `require('http').createServer((q, s) => s.end(q.socket.remoteAddress)).listen(80, '0.0.0.0', () => console.log('up'))`;
    const server = await world.spawn('server', [join(repository, 'node_modules/.bin/node'), '-e', program]);
    for await (const line of server.lines(signal)) if (line === 'up') break;
    assert.equal(await inPod(`wget -qO- http://${world.ip}/`), node.host.ip);
  });
}
