import assert from 'node:assert/strict';
import { etcdctl } from '../../harness/etcdctl.ts';
import { eventually } from '../../harness/eventually.ts';
import { dataDir, type Node } from '../../harness/node.ts';
import { assertClusterWorks } from '../../harness/probe.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { assertNothingLost, startWriter } from '../../harness/tools.ts';

const db = `${dataDir}/server/db`;
/** etcd lays out two write-ahead files of 64 MB before anything else. */
const megabytes = 256;

export const scenario: Scenario = {
  name: 'full-disk',
  about: 'the data disk runs full: nothing stored is damaged, and the node recovers by itself when there is space again',
  short: true,
  timeout: 600_000,
  run: async ({ addNode, step, life, note }) => {
    const { signal } = life;
    const node = await addNode('node');
    await step(`the node gets ready with ${megabytes} MB for etcd`, async () => {
      const image = '/var/lib/rancher/disk.img';
      const mount = `mkdir -p -m 0700 ${db}; truncate -s ${megabytes}M ${image}; mkfs.ext4 -q -m0 ${image}; mount -o loop ${image} ${db}; rmdir ${db}/lost+found; chmod 0700 ${db}`;
      await node.host.must(['sh', '-ec', mount]);
      await node.start();
      await node.untilReady();
    });
    const writer = await startWriter(node, signal);
    await writer.untilNext();
    const etcd = (await node.pids()).etcd;
    await step('the disk runs full and writes fail', async () => {
      await node.host.exec(['dd', 'if=/dev/zero', `of=${db}/filler`, 'bs=1M']);
      const refused = async (): Promise<string | undefined> => {
        // Big ones, because space that is laid out already still takes small ones.
        const big = JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { generateName: 'big-' },
          data: { text: 'x'.repeat(900_000) },
        });
        const result = await node.tryKubectl(['create', '-f', '-', '--request-timeout=5s'], { input: big });
        return result.code === 0 ? undefined : result.stderr.trim();
      };
      note(await eventually('a refused write', refused, { signal, within: 180_000 }));
    });
    await step('with space again the node recovers by itself', async () => {
      await node.host.must(['rm', `${db}/filler`]);
      await writer.untilNext();
      await assertClusterWorks(node, signal);
      note((await node.pids()).etcd === etcd ? 'etcd went on' : 'etcd was started again');
    });
    await step('nothing acknowledged was lost and nothing is damaged', async () => {
      await writer.stop();
      await assertNothingLost(node, writer);
      assert.equal((await etcdctl(node, ['alarm', 'list'])).trim(), '');
      await node.stop('SIGTERM');
      await assertSound(node);
    });
    await step('it starts again with the same data', async () => {
      await node.start();
      await node.untilReady();
      await assertNothingLost(node, writer);
    });
  },
};

/** The stopped database can be read from end to end: every page is where it belongs. */
async function assertSound({ host }: Node): Promise<void> {
  const status = await host.must([`${dataDir}/bin/etcdutl`, 'snapshot', 'status', `${db}/etcd/member/snap/db`, '-w', 'json']);
  assert.match(status, /"hash":\d+/i);
}
