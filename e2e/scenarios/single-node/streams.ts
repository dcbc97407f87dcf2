import assert from 'node:assert/strict';
import { kubeconfigFile, type Node, rfoCommand, untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Service } from '../../lab/index.ts';

/** What flows through the API server to the kubelet and back: exec, logs -f, port-forward. */
export async function checkStreams({ check, life }: ScenarioContext, node: Node): Promise<void> {
  const patience = { signal: life.signal, within: 60_000 };
  const spawnKubectl = (name: string, args: readonly string[]): Promise<Service> =>
    node.host.spawn(name, [...rfoCommand, 'kubectl', ...args], { KUBECONFIG: kubeconfigFile });

  await check('exec carries input, both outputs and the exit code', async () => {
    const script = 'cat; echo wrong >&2; exit 7';
    const result = await node.rfo(['kubectl', '-n', 'demo', 'exec', '-i', 'client', '--', 'sh', '-c', script], { input: 'in' });
    assert.equal(result.code, 7);
    assert.equal(result.stdout, 'in');
    assert.match(result.stderr, /^wrong$/m);
  });
  await check('logs -f shows a line the moment it is written', async () => {
    const logs = await spawnKubectl('logs-f', ['-n', 'demo', 'logs', '-f', 'client']);
    await node.kubectl(['-n', 'demo', 'exec', 'client', '--', 'sh', '-c', 'echo first > /proc/1/fd/1']);
    await untilLine(logs, /^first$/, patience);
    await node.kubectl(['-n', 'demo', 'exec', 'client', '--', 'sh', '-c', 'echo second > /proc/1/fd/1']);
    await untilLine(logs, /^second$/, patience);
    logs.signal('SIGKILL');
  });
  await check('port-forward leads into the pod', async () => {
    const forward = await spawnKubectl('port-forward', ['-n', 'demo', 'port-forward', 'deployment/web', '18080:8080']);
    await untilLine(forward, /^Forwarding from 127\.0\.0\.1:18080/, patience);
    assert.match(await node.host.must(['curl', '-sS', '-m10', 'http://127.0.0.1:18080/']), /^web-/);
    forward.signal('SIGKILL');
  });
}
