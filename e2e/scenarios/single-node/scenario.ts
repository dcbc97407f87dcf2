import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { assertSameFootprint, footprintOf } from '../../harness/footprint.ts';
import type { Node } from '../../harness/node.ts';
import { namespace, pod, service, webDeployment } from '../../harness/objects.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { checkAccess } from './access.ts';
import { checkNetwork } from './network.ts';
import { checkSecrets } from './secrets.ts';
import { checkStreams } from './streams.ts';

export const scenario: Scenario = {
  name: 'single-node',
  about: 'one command makes a node on which all that people do with Kubernetes works, and Ctrl-C leaves nothing of it',
  short: true,
  timeout: 600_000,
  run: async (context) => {
    const { step, lab } = context;
    const node = await context.addNode('node');
    // Another machine on the same network, which knows nothing of pods.
    const world = await lab.addHost({ name: 'world' });
    const before = await footprintOf(node.host);

    await step('the node gets ready', async () => {
      await node.start();
      await node.untilReady();
    });
    await step('a Deployment of two and its Services roll out', async () => {
      await node.apply(namespace('demo'), webDeployment('web', 2, 'demo'), service('web', { app: 'web', namespace: 'demo' }));
      await node.apply(service('web-node', { app: 'web', namespace: 'demo', nodePort: 30080 }));
      await node.apply(pod('client', { namespace: 'demo' }), pod('host-port', { namespace: 'demo', hostPort: 8088 }));
      await node.kubectl(['-n', 'demo', 'rollout', 'status', 'deployment/web', '--timeout=120s'], { timeout: 130_000 });
      await node.wait(['-n', 'demo', '--for=condition=Ready', 'pod/client', 'pod/host-port']);
    });
    await checkNetwork(context, { node, world });
    await checkStreams(context, node);
    await checkSecrets(context, node);
    await checkAccess(context, node);
    await checkMetrics(context, node);

    const identity = await clusterIdentity(node);
    await step('Ctrl-C ends everything and leaves nothing on the host', async () => {
      const code = await node.stop('SIGINT');
      assert.ok(code === 0 || code === 130, `exit code ${code}`);
      assertSameFootprint(await footprintOf(node.host), before);
    });
    await step('the second start brings the same cluster back', async () => {
      await node.start();
      await node.untilReady();
      assert.deepEqual(await clusterIdentity(node), identity);
      await node.kubectl(['-n', 'demo', 'rollout', 'status', 'deployment/web', '--timeout=120s'], { timeout: 130_000 });
    });
    await step('killall cleans up after a killed rfo', async () => {
      await node.stop('SIGKILL');
      const result = await node.rfo(['killall'], { timeout: 120_000 });
      assert.equal(result.code, 0, result.stderr);
      assertSameFootprint(await footprintOf(node.host), before);
    });
  },
};

/** metrics-server asks the kubelet every 15 s and wants two answers, so this comes after everything else. */
async function checkMetrics({ check, life, note }: ScenarioContext, node: Node): Promise<void> {
  await check('kubectl top knows the node and the pods', async () => {
    await node.wait(['--for=create', 'apiservice/v1beta1.metrics.k8s.io']);
    await node.wait(['--for=condition=Available', 'apiservice/v1beta1.metrics.k8s.io']);
    const top = (args: readonly string[]): Promise<string> =>
      eventually('figures of kubectl top', () => node.kubectl(['top', ...args, '--no-headers']), { signal: life.signal });
    const [name, cpu, , memory] = (await top(['node'])).trim().split(/ +/);
    assert.equal(name, 'node');
    assert.match(cpu ?? '', /^\d+m$/);
    assert.match(memory ?? '', /^\d+Mi$/);
    assert.match(await top(['pod', '-n', 'demo', 'client']), /^client +\d+m +\d+Mi/);
    note(`node: ${cpu} CPU, ${memory} memory`);
  });
}

/** What must survive an end: the cluster's own identity, and a Secret. */
async function clusterIdentity(node: Node): Promise<readonly string[]> {
  const uid = await node.kubectl(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}']);
  const secret = await node.kubectl(['-n', 'demo', 'get', 'secret', 'hidden', '-o', 'jsonpath={.data.word}']);
  const nodeUid = await node.kubectl(['get', 'node', node.host.name, '-o', 'jsonpath={.metadata.uid}']);
  assert.ok(uid !== '' && secret !== '' && nodeUid !== '');
  return [uid, secret, nodeUid];
}
