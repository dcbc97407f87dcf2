import assert from 'node:assert/strict';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { execute } from '../execute.ts';
import { ownMounts, removeFolder } from './mounts.ts';

/** The namespaces: a network, and mounts of which /run and the one cgroup hierarchy hold nothing but the test's. */
const prepare = `
mount --make-rprivate /
mount -t tmpfs run /run && mkdir /run/netns
mkdir "$FOLDER/cgroup" && mount --bind "$CGROUP" "$FOLDER/cgroup"
mount -t tmpfs cgroup /sys/fs/cgroup && mkdir /sys/fs/cgroup/test && mount --move "$FOLDER/cgroup" /sys/fs/cgroup/test
exec "$NODE" --disable-warning=ExperimentalWarning "$SCENE" "$FOLDER" /sys/fs/cgroup/test
`;

describe('cleaning a host', { skip: process.geteuid?.() !== 0 && 'needs root' }, () => {
  test('removes everything of the node and nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rfo-clean-'));
    const hierarchy = (await ownMounts()).find(
      ({ type, options }) => type === 'cgroup2' || (type === 'cgroup' && options.includes('pids')),
    );
    assert.ok(hierarchy);
    const cgroup = join(hierarchy.point, `rfo-clean-${process.pid}`);
    const scene = join(import.meta.dirname, 'clean-host.scene.ts');
    try {
      const script = `mkdir "$CGROUP"; ${prepare}`;
      const ran = await execute('unshare', ['--net', '--mount', 'sh', '-ec', script], {
        env: { FOLDER: folder, CGROUP: cgroup, NODE: process.execPath, SCENE: scene },
      });
      assert.ok(ran.ok, ran.stderr);
      const { tools, ...after } = JSON.parse(ran.stdout);
      assert.deepEqual(after, {
        left: [[], []],
        bystander: true,
        shim: false,
        contained: false,
        precious: true,
        volumeFolder: true,
        mounts: 0,
        state: false,
        shimSocket: false,
        namespaces: ['user'],
        links: ['lo', 'user0'],
        tables: tools.nft ? ['table ip user'] : [],
        rules: tools.iptables ? ['-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE'] : [],
        cgroups: [],
        forwarding: '0',
      });
    } finally {
      await rmdir(cgroup);
      await rm(folder, { recursive: true });
    }
  });

  test('does not delete what is mounted in a folder', async () => {
    assert.deepEqual(await removeFolder('/proc'), ['/proc is kept: /proc is mounted']);
  });
});
