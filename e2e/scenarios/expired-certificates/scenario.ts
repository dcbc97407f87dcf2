import assert from 'node:assert/strict';
import { sleep } from '@rfo/foundation';
import { eventually } from '../../harness/eventually.ts';
import { dataDir, type Node } from '../../harness/node.ts';
import { webDeployment } from '../../harness/objects.ts';
import { assertClusterWorks, podLives } from '../../harness/probe.ts';
import type { Scenario } from '../../harness/scenario.ts';

/** Life of every leaf, in seconds: renewed in the running process when a third is left. */
const lifetime = 75;
const env = { RFO_CERT_EXPIRATION_DAYS: String(lifetime / 86_400) };

export const scenario: Scenario = {
  name: 'expired-certificates',
  about: 'certificates renew while the node runs, and a node that was off until all had expired starts again by itself',
  short: true,
  timeout: 600_000,
  run: async ({ addNode, step, note, life }) => {
    const { signal } = life;
    const node = await addNode('node');
    await step(`the node gets ready with certificates of ${lifetime} s`, async () => {
      await node.start({ env });
      await node.untilReady();
      await node.apply(webDeployment('web', 1));
      await node.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    });
    const lives = await podLives(node, 'web');
    const first = await ends(node);
    await step('every certificate is renewed before it ends, and every server shows the new one', async () => {
      const renewed = async (): Promise<true | undefined> => {
        const now = await ends(node);
        const old = Object.keys(first).filter((name) => (now[name] ?? 0) <= (first[name] ?? 0));
        assert.deepEqual(old, [], 'not renewed yet');
        return true;
      };
      await eventually('new certificates', renewed, { signal, within: lifetime * 1000 });
      assert.ok(Date.now() < Math.min(...Object.values(first)), 'they were renewed too late');
    });
    await step('when the first ones have ended, the cluster works, and no pod was restarted', async () => {
      await sleep(Math.max(...Object.values(first)) - Date.now() + 1000, signal);
      await assertClusterWorks(node, signal);
      await node.wait(['--for=condition=Ready', `node/${node.host.name}`]);
      assert.equal(await podLives(node, 'web'), lives);
    });
    await step('the power is cut until all have expired', async () => {
      const all = await ends(node);
      await node.host.powerCut();
      const off = Math.max(...Object.values(all)) - Date.now() + 1000;
      note(`off for ${(off / 1000).toFixed()} s`);
      await sleep(Math.max(off, 0), signal);
      await node.host.boot();
    });
    await step('the node starts again', async () => {
      await node.start();
      await node.untilReady();
      await node.kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'], { timeout: 130_000 });
      await assertClusterWorks(node, signal);
      const now = await ends(node);
      const year = Date.now() + 364 * 86_400_000;
      assert.ok(Math.min(...Object.values(now)) > year, 'the new ones live for a year');
    });
  },
};

/** When the certificate ends that each server shows, and each client's file; milliseconds since 1970 by place. */
async function ends(node: Node): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {};
  for (const port of [2379, 2380, 6443, 10250, 10257, 10259]) {
    const show = `openssl s_client -connect 127.0.0.1:${port} </dev/null 2>/dev/null | openssl x509 -noout -enddate`;
    found[`port ${port}`] = parseEnd(await node.host.must(['sh', '-c', show]));
  }
  const files = await node.host.must([
    'sh',
    '-c',
    `find ${dataDir}/server/tls ${dataDir}/agent -name "client-*.crt" ! -name "*-ca.crt" ! -name "*nochain*"`,
  ]);
  for (const file of files.trim().split('\n'))
    found[file] = parseEnd(await node.host.must(['openssl', 'x509', '-noout', '-enddate', '-in', file]));
  assert.ok(Object.keys(found).length > 8, `few certificates: ${Object.keys(found).join(' ')}`);
  return found;
}

function parseEnd(text: string): number {
  return Date.parse(text.trim().replace('notAfter=', ''));
}
