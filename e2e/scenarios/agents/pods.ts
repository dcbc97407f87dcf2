import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

/** A pod of the DaemonSet `web`. */
export type Pod = { readonly name: string; readonly ip: string; readonly node: string };

export async function webPods(server: Node): Promise<readonly Pod[]> {
  const format = '-o=jsonpath={range .items[*]}{.metadata.name} {.status.podIP} {.spec.nodeName}{"\\n"}{end}';
  const answer = await server.kubectl(['get', 'pods', '-l', 'app=web', format]);
  const lines = answer.trim().split('\n');
  return lines.map((line) => {
    const [name = '', ip = '', node = ''] = line.split(' ');
    return { name, ip, node };
  });
}

/** Pods, Services and cluster DNS from and to every node; `web` is the DaemonSet and its Service. */
export async function checkPodNetwork({ check, life }: ScenarioContext, server: Node, pods: readonly Pod[]): Promise<void> {
  const patience = { signal: life.signal, within: 60_000 };
  const inPod = (pod: Pod, script: string): Promise<string> =>
    server.kubectl(['exec', pod.name, '--', 'sh', '-c', script], { timeout: 30_000 });
  const names = pods.map(({ name }) => name).sort();

  await check(`every pod reaches every pod: ${pods.length ** 2} ways, with more than fits into one packet`, async () => {
    const fill = 'dd if=/dev/urandom of=/tmp/www/big bs=64k count=16 2>/dev/null; md5sum < /tmp/www/big';
    const sums = await Promise.all(pods.map((pod) => inPod(pod, fill)));
    const script = pods.map(({ ip }) => `timeout 5 wget -qO- http://${ip}:8080/big | md5sum`).join('; ');
    for (const pod of pods) {
      const all = async (): Promise<true> => {
        assert.deepEqual(
          (await inPod(pod, script)).trim().split('\n'),
          sums.map((sum) => sum.trim()),
          `from ${pod.node}`,
        );
        return true;
      };
      await eventually(`all answers to the pod on ${pod.node}`, all, patience);
    }
  });
  const address = await server.kubectl(['get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
  await check('the Service leads from every node to all pods', async () => {
    const script = `for i in $(seq 40); do timeout 5 wget -qO- http://${address}/; done | sort -u`;
    for (const pod of pods) {
      const all = async (): Promise<true> => {
        assert.deepEqual((await inPod(pod, script)).trim().split('\n').sort(), names, `from ${pod.node}`);
        return true;
      };
      await eventually(`answers of all pods to the one on ${pod.node}`, all, patience);
    }
  });
  await check('DNS answers every pod', async () => {
    const patterns = [new RegExp(`Address: ${address.replaceAll('.', '\\.')}$`, 'm'), /^web-/m];
    for (const pod of pods) {
      const answer = await inPod(pod, 'nslookup web.default.svc.cluster.local; timeout 5 wget -qO- http://web/');
      for (const pattern of patterns) assert.match(answer, pattern, `from ${pod.node}`);
    }
  });
  await check('the API answers every pod at its Service', async () => {
    for (const pod of pods) await inPod(pod, 'nc -w 5 kubernetes.default 443 < /dev/null');
  });
}
