import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { execute } from '../execute.ts';
import { ownMounts, removeFolder } from './mounts.ts';

/** The namespaces: a network, and mounts of which /run and the one cgroup hierarchy hold nothing but the test's. */
const prepare = `
mount --make-rprivate /
mount -t tmpfs run /run && mkdir /run/netns
mkdir "$FOLDER/cgroup" && mount --bind "$CGROUP" "$FOLDER/cgroup"
mount -t tmpfs cgroup /sys/fs/cgroup && mkdir /sys/fs/cgroup/test && mount --move "$FOLDER/cgroup" /sys/fs/cgroup/test
exec "$NODE" --disable-warning=ExperimentalWarning "$SCENE" "$FOLDER" /sys/fs/cgroup/test "$KILLALL"
`;

const killall = join(import.meta.dirname, '../../../../../deploy/rfo-killall.sh');

describe('cleaning a host', { skip: process.geteuid?.() !== 0 && 'needs root' }, () => {
  for (const [means, script] of [
    ['rfo', ''],
    ['rfo-killall.sh', killall],
  ] as const) {
    test(`by ${means} removes everything of the node and nothing else`, async () => {
      const { tools, ...after } = await playScene(script);
      assert.deepEqual(after, {
        left: [[], []],
        bystander: true,
        component: false,
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
    });
  }

  test('does not delete what is mounted in a folder', async () => {
    assert.deepEqual(await removeFolder('/proc'), ['/proc is kept: /proc is mounted']);
  });
});

/** What the scene prints. @param script the killall script, or empty for our own cleaning */
async function playScene(script: string): Promise<Record<string, unknown> & { tools: { nft: boolean; iptables: boolean } }> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-clean-'));
  const hierarchy = (await ownMounts()).find(({ type, options }) => type === 'cgroup2' || (type === 'cgroup' && options.includes('pids')));
  assert.ok(hierarchy);
  const cgroup = join(hierarchy.point, basename(folder));
  try {
    await mkdir(cgroup);
    const ran = await execute('unshare', ['--net', '--mount', 'sh', '-ec', prepare], {
      env: {
        FOLDER: folder,
        CGROUP: cgroup,
        NODE: process.execPath,
        SCENE: join(import.meta.dirname, 'clean-host.scene.ts'),
        KILLALL: script,
      },
    });
    assert.ok(ran.ok, ran.stderr);
    return JSON.parse(ran.stdout);
  } finally {
    await rmdir(cgroup);
    await rm(folder, { recursive: true });
  }
}
