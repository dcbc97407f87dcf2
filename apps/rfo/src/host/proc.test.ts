import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasCapability, meminfoBytes, parseCgroups, parseDefaultRoute, parseKernelRelease, parseMountinfo } from './proc.ts';

const mountinfoV1 = `22 28 0:20 / /proc rw,nosuid - proc proc rw
30 28 0:25 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
32 30 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
33 30 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
40 28 8:1 /a\\040b /mnt/with\\040blank rw,noexec shared:5 master:2 - ext4 /dev/sda1 rw,errors=remount-ro
`;

describe('/proc', () => {
  test('tells mounts, with blanks in their names and optional fields', () => {
    assert.deepEqual(parseMountinfo(mountinfoV1).at(-1), {
      id: 40,
      parent: 28,
      device: '8:1',
      root: '/a b',
      point: '/mnt/with blank',
      type: 'ext4',
      source: '/dev/sda1',
      options: ['rw', 'noexec', 'rw', 'errors=remount-ro'],
    });
  });

  test('tells the cgroup version and its controllers', () => {
    assert.deepEqual(parseCgroups(parseMountinfo(mountinfoV1), ''), { version: 'v1', controllers: ['cpu', 'memory'] });
    const v2 = parseMountinfo('30 28 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n');
    assert.deepEqual(parseCgroups(v2, 'cpuset cpu io memory pids\n'), {
      version: 'v2',
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
    });
    assert.equal(parseCgroups(parseMountinfo('22 28 0:20 / /proc rw - proc proc rw\n'), ''), undefined);
  });

  test('tells the default route that is used', () => {
    const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
    const wifi = 'wlan0\t00000000\t010011AC\t0003\t0\t0\t600\t00000000\t0\t0\t0\n';
    const wire = 'eth1\t00000000\t010011AC\t0003\t0\t0\t100\t00000000\t0\t0\t0\n';
    const down = 'eth9\t00000000\t010011AC\t0000\t0\t0\t0\t00000000\t0\t0\t0\n';
    const local = 'eth1\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n';
    assert.equal(parseDefaultRoute(head + local + wifi + wire + down), 'eth1');
    assert.equal(parseDefaultRoute(head + local), undefined);
  });

  test('tells capabilities, memory and kernel', () => {
    const all = 'Name:\tnode\nCapEff:\t000001ffffffffff\nCapBnd:\t0000000000000000\n';
    const fewer = 'CapEff:\t000001fffeffffff\n';
    assert.equal(hasCapability(all, 24), true);
    assert.equal(hasCapability(fewer, 24), false);
    assert.equal(meminfoBytes('MemTotal:        8148104 kB\nMemFree: 1 kB\n', 'MemTotal'), 8148104 * 1024);
    assert.deepEqual(parseKernelRelease('5.10.0-216.0.0.115.oe2203sp4.x86_64'), { major: 5, minor: 10 });
  });
});
