import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { checkNodeName, detectHost, kernelForNftables, nodeNameOf } from './facts.ts';
import { groupId } from './group.ts';
import { chooseNodeAddress } from './node-address.ts';
import { chooseNodeId } from './node-id.ts';

type Interfaces = Parameters<typeof chooseNodeAddress>[0]['interfaces'];

const address = (given: string, internal = false) => ({
  address: given,
  netmask: '255.255.255.0',
  family: 'IPv4' as const,
  mac: '00:00:00:00:00:00',
  internal,
  cidr: `${given}/24`,
});
const interfaces: Interfaces = {
  lo: [address('127.0.0.1', true)],
  cni0: [address('10.42.0.1')],
  eth0: [address('192.0.2.11'), address('192.0.2.12')],
  eth1: [address('198.51.100.1')],
};
const route = 'Iface\tDestination\n'.concat('eth1\t00000000\t01\t0003\t0\t0\t0\t00000000\t0\t0\t0\n');

describe('node address', () => {
  test('is that of the default route', () => {
    assert.deepEqual(chooseNodeAddress({ wanted: [], interfaces, route }), {
      nodeIps: ['198.51.100.1'],
      nodeIp: '198.51.100.1',
      iface: 'eth1',
      overlayIp: '198.51.100.1',
    });
  });

  test("is the first of the host where there is no default route, but not the pod network's", () => {
    assert.equal(chooseNodeAddress({ wanted: [], interfaces, route: '' }).nodeIp, '192.0.2.11');
    assert.throws(
      () => chooseNodeAddress({ wanted: [], interfaces: { lo: interfaces.lo ?? [], cni0: interfaces.cni0 ?? [] }, route: '' }),
      {
        code: 'node-address-missing',
      },
    );
  });

  test('is the configured one, which must be on the host', () => {
    assert.deepEqual(chooseNodeAddress({ wanted: ['192.0.2.12'], interfaces, route }), {
      nodeIps: ['192.0.2.12'],
      nodeIp: '192.0.2.12',
      iface: 'eth0',
      overlayIp: '192.0.2.12',
    });
    assert.throws(() => chooseNodeAddress({ wanted: ['203.0.113.9'], interfaces, route }), {
      code: 'node-address-foreign',
      message: /has: 192\.0\.2\.11, 192\.0\.2\.12, 198\.51\.100\.1/,
    });
  });
});

describe('address of a node that ran before', () => {
  const known = { nodeIps: ['192.0.2.12'], iface: 'eth0', configured: false } as const;
  const choose = (wish: Partial<Parameters<typeof chooseNodeAddress>[0]>): string =>
    chooseNodeAddress({ wanted: [], known, interfaces, route, ...wish }).nodeIp;

  test('stays as long as the host has it, wherever the default route leads and whatever else comes', () => {
    assert.equal(choose({}), '192.0.2.12');
    assert.equal(choose({ known: { ...known, configured: true } }), '198.51.100.1', 'one that was configured goes with the setting');
  });

  test('is that of the default route when it is gone, else one of the same interface, never one of any other', () => {
    const moved: Interfaces = { eth0: [address('192.0.2.99')], eth1: [address('198.51.100.1')] };
    assert.equal(choose({ interfaces: moved }), '198.51.100.1');
    assert.equal(choose({ interfaces: moved, route: '' }), '192.0.2.99');
    assert.throws(() => choose({ interfaces: { eth1: [address('198.51.100.1')] }, route: '' }), {
      code: 'node-address-gone',
      message: /the address 192\.0\.2\.12 of this node is gone, and neither eth0 .* this host has: 198\.51\.100\.1/,
    });
  });

  test('is never the virtual IP, which another server may have a moment later', () => {
    const holding: Interfaces = { eth0: [address('192.0.2.200'), address('192.0.2.99')] };
    assert.equal(choose({ interfaces: holding, except: ['192.0.2.200'] }), '192.0.2.99');
    assert.throws(() => choose({ interfaces: { eth0: [address('192.0.2.200')] }, except: ['192.0.2.200'] }), { code: 'node-address-gone' });
  });

  test('is waited for when it is configured and was there before, but refused when it is new', () => {
    const before = { ...known, configured: true };
    assert.throws(() => choose({ wanted: ['192.0.2.12'], known: before, interfaces: {} }), { code: 'node-ip-gone', retryable: true });
    assert.throws(() => choose({ wanted: ['192.0.2.13'], known: before }), { code: 'node-address-foreign', retryable: false });
  });
});

test("flannel's address is that of its interface, which may have none for a while", () => {
  const choose = (overlayIface: string): string | undefined => chooseNodeAddress({ wanted: [], interfaces, route, overlayIface }).overlayIp;
  assert.equal(choose('eth0'), '192.0.2.11');
  assert.equal(choose('eth7'), undefined);
});

describe('host', () => {
  test('names a node as Kubernetes can', () => {
    assert.equal(checkNodeName('node-1.example.com'), 'node-1.example.com');
    for (const name of ['', 'under_score', '-a', 'a..b', 'UPPER', 'a'.repeat(254)])
      assert.throws(() => checkNodeName(name), { code: 'node-name-invalid' });
  });

  test("ends a node's name with its id, which is made once", async () => {
    assert.equal(nodeNameOf({}, 'Node-1'), 'node-1');
    assert.equal(nodeNameOf({ nodeName: 'a', nodeId: '0a1b2c3d' }, 'Node-1'), 'a-0a1b2c3d');
    await inFolder(async (folder) => {
      const file = join(folder, 'id');
      assert.match(await chooseNodeId(file), /^[0-9a-f]{8}$/);
      await writeFile(file, '0a1b2c3d\n');
      assert.equal(await chooseNodeId(file), '0a1b2c3d');
    });
  });

  test('knows groups by name and by number', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'group');
      await writeFile(file, 'root:x:0:\nkube:x:1007:a,b\n');
      assert.equal(await groupId('kube', file), 1007);
      assert.equal(await groupId('12', file), 12);
      await assert.rejects(groupId('kub', file), { code: 'group-unknown' });
    });
  });

  test('has nftables only from Linux 5.13', () => {
    const works = { ok: true } as const;
    assert.deepEqual(kernelForNftables({ major: 5, minor: 13, release: '' }, works), works);
    assert.deepEqual(kernelForNftables({ major: 6, minor: 1, release: '' }, works), works);
    assert.deepEqual(kernelForNftables({ major: 5, minor: 10, release: '5.10.0-oe' }, works), {
      ok: false,
      why: 'kube-proxy needs Linux 5.13 for nftables, this is 5.10.0-oe',
    });
  });

  test('is looked at without leaving a trace', { skip: process.geteuid?.() !== 0 && 'needs root' }, async () => {
    await inFolder(async (folder) => {
      const facts = await detectHost({ dataDir: join(folder, 'not', 'there', 'yet') });
      assert.ok(facts.cgroupControllers.includes('memory'));
      assert.equal(facts.nodeName, os.hostname().toLowerCase());
      assert.ok(facts.memoryBytes > 2 ** 28);
      for (const probe of [facts.nftables, facts.iptables, facts.overlayfs]) assert.ok(probe.ok || probe.why !== '');
      assert.deepEqual(await readdir(folder), []);
    });
  });

  test('needs cgroups for pods alone', { skip: process.geteuid?.() !== 0 && 'needs root' }, async () => {
    const script = `
      const { detectHost } = await import(${JSON.stringify(import.meta.resolve('./facts.ts'))});
      const dataDir = ${JSON.stringify(os.tmpdir())};
      const refused = await detectHost({ dataDir }).catch(({ code }) => code);
      const { cgroup, nftables } = await detectHost({ dataDir, controlPlaneOnly: true });
      console.log(refused, cgroup, nftables.ok);`;
    // In a mount namespace of its own: the machine keeps its cgroups.
    const bare = 'umount -R /sys/fs/cgroup && exec "$@"';
    const args = ['--mount', 'sh', '-c', bare, 'sh', process.execPath, '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)('unshare', args, { timeout: 30_000 });
    assert.equal(stdout, 'cgroups-missing none false\n');
  });

  test('says which data directory cannot be written', { skip: process.geteuid?.() !== 0 && 'needs root' }, async () => {
    for (const controlPlaneOnly of [false, true]) {
      await assert.rejects(detectHost({ dataDir: '/proc/nothing/here', controlPlaneOnly }), { code: 'data-unwritable' });
    }
  });
});

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(os.tmpdir(), 'rfo-facts-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
