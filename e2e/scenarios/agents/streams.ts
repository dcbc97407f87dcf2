import assert from 'node:assert/strict';
import { dataDir, kubeconfigFile, type Node, untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Service } from '../../lab/index.ts';
import type { Pod } from './pods.ts';

/** What the API server asks of kubelets that it cannot dial: all of it has to go through the tunnels. */
export async function checkStreams({ check, life }: ScenarioContext, server: Node, pods: readonly Pod[]): Promise<void> {
  const patience = { signal: life.signal, within: 60_000 };
  const spawnKubectl = (name: string, args: readonly string[]): Promise<Service> =>
    server.host.spawn(name, [`${dataDir}/bin/kubectl`, ...args], { KUBECONFIG: kubeconfigFile });

  for (const { name, node } of pods) {
    await check(`exec on ${node} carries input, both outputs and the exit code`, async () => {
      const script = 'cat | wc -c; echo wrong >&2; exit 7';
      // More than any window of the way holds.
      const input = Buffer.alloc(5_000_000, 'x');
      const result = await server.tryKubectl(['exec', '-i', name, '--', 'sh', '-c', script], { input });
      assert.equal(result.code, 7, result.stderr);
      assert.equal(result.stdout.trim(), String(input.length));
      assert.match(result.stderr, /^wrong$/m);
    });
    await check(`logs -f on ${node} shows a line the moment it is written`, async () => {
      const logs = await spawnKubectl(`logs-${node}`, ['logs', '-f', name]);
      for (const word of ['first', 'second']) {
        await server.kubectl(['exec', name, '--', 'sh', '-c', `echo ${word} > /proc/1/fd/1`]);
        await untilLine(logs, new RegExp(`^${word}$`), patience);
      }
      logs.signal('SIGKILL');
    });
    await check(`port-forward leads into the pod on ${node}`, async () => {
      const forward = await spawnKubectl(`port-forward-${node}`, ['port-forward', `pod/${name}`, '18080:8080']);
      await untilLine(forward, /^Forwarding from 127\.0\.0\.1:18080/, patience);
      const url = 'http://127.0.0.1:18080/';
      assert.equal(await server.host.must(['curl', '-sS', '-m10', url]), `${name}\n`);
      forward.signal('SIGKILL');
      // The next one wants the same port.
      await forward.exited;
    });
  }
}
