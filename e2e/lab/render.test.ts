import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderBootScript } from './boot-script.ts';
import { parseHierarchies } from './cgroups.ts';
import { renderEnter } from './enter.ts';
import { renderFullBootScript } from './full-boot-script.ts';
import { unmountedControllers } from './full-host.ts';
import { sharedFolders } from './shared-folders.ts';

const v1 = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;

test('on cgroup v1 the lab goes below our own cgroup in each hierarchy', () => {
  const own = '9:name=systemd:/user.slice\n3:cpuset:/\n1:cpu,cpuacct:/limited/by:us\n0::/user.slice\n';
  assert.deepEqual(parseHierarchies(v1, own), [
    {
      folder: 'cpu,cpuacct',
      links: ['cpu', 'cpuacct'],
      unified: false,
      v2: false,
      cpuset: false,
      base: '/sys/fs/cgroup/cpu,cpuacct/limited/by:us',
    },
    { folder: 'cpuset', links: [], unified: false, v2: false, cpuset: true, base: '/sys/fs/cgroup/cpuset/' },
    { folder: 'systemd', links: [], unified: false, v2: false, cpuset: false, base: '/sys/fs/cgroup/systemd/user.slice' },
    { folder: 'unified', links: [], unified: false, v2: true, cpuset: false, base: '/sys/fs/cgroup/unified/user.slice' },
  ]);
});

test('on cgroup v2 the lab goes to the root, where processes and controllers may live together', () => {
  const mountinfo = '31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
  assert.deepEqual(parseHierarchies(mountinfo, '0::/user.slice/session.scope\n'), [
    { folder: '', links: [], unified: true, v2: true, cpuset: false, base: '/sys/fs/cgroup' },
  ]);
});

test('a machine without cgroups is refused', () => {
  assert.throws(() => parseHierarchies('', ''), /no cgroup hierarchy/);
});

test('a host shares the checkout and every further disk, but nothing it must have for itself', () => {
  const line = (path: string, type: string): string => `1 2 0:1 / ${path} rw - ${type} source rw`;
  const mounts = [
    line('/', 'ext4'),
    line('/usr', 'xfs'),
    line('/home', 'ext4'),
    line('/var/lib/docker', 'ext4'),
    line('/proc', 'proc'),
    line('/mnt', 'tmpfs'),
  ];
  assert.deepEqual(sharedFolders(mounts.join('\n'), '/home/me/rfo'), ['/home', '/home/me/rfo', '/usr']);
});

test('a command enters the cgroups before the namespaces', () => {
  assert.deepEqual(renderEnter({ init: 7, cgroups: ['/c/1', '/c/2'] }, ['ls', '-l']).slice(3), [
    ...['sh', '2', '/c/1', '/c/2'],
    ...['setpriv', '--bounding-set=-sys_time', 'nsenter', '-t', '7', '-m', '-u', '-i', '-n', '-p', '-C', '--', 'ls', '-l'],
  ]);
});

test('the boot script mounts each cgroup hierarchy where programs look for it', () => {
  const hierarchies = parseHierarchies(v1, '0::/\n').map((hierarchy) => ({ hierarchy, path: `/cg/${hierarchy.folder}/a` }));
  const script = renderBootScript({
    name: 'a',
    address: '10.98.0.11/24',
    gateway: '10.98.0.1',
    mac: '02:00:00:00:00:0b',
    machineId: '0123456789abcdef0123456789abcdef',
    dir: '/labs/x/hosts/a',
    switchNamespace: '/proc/5/ns/net',
    port: 'v-a',
    hierarchies,
    shared: ['/repo'],
  });
  assert.deepEqual(
    script.split('\n').filter((line) => line.includes('cgroup')),
    [
      'mount -t tmpfs -o mode=755 cgroup /labs/x/hosts/a/root/sys/fs/cgroup',
      'mkdir -p /labs/x/hosts/a/root/sys/fs/cgroup/cpu,cpuacct; mount --bind /cg/cpu,cpuacct/a /labs/x/hosts/a/root/sys/fs/cgroup/cpu,cpuacct',
      'ln -s cpu,cpuacct /labs/x/hosts/a/root/sys/fs/cgroup/cpu',
      'ln -s cpu,cpuacct /labs/x/hosts/a/root/sys/fs/cgroup/cpuacct',
      'mkdir -p /labs/x/hosts/a/root/sys/fs/cgroup/cpuset; mount --bind /cg/cpuset/a /labs/x/hosts/a/root/sys/fs/cgroup/cpuset',
      'mkdir -p /labs/x/hosts/a/root/sys/fs/cgroup/systemd; mount --bind /cg/systemd/a /labs/x/hosts/a/root/sys/fs/cgroup/systemd',
      'mkdir -p /labs/x/hosts/a/root/sys/fs/cgroup/unified; mount --bind /cg/unified/a /labs/x/hosts/a/root/sys/fs/cgroup/unified',
    ],
  );
  assert.match(script, /mount --bind '\/repo' '\/labs\/x\/hosts\/a\/root\/repo'/);
});

test('a full host sees its own cgroups as the whole, and nothing where this machine has no controller', () => {
  const places = parseHierarchies(v1, '0::/\n').map((hierarchy) => ({ hierarchy, path: `/cg/${hierarchy.folder}/a` }));
  const controllers = '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t2\t1\ncpu\t1\t2\t1\nhugetlb\t0\t2\t1\n';
  assert.deepEqual(unmountedControllers(controllers, places), ['hugetlb']);
  const script = renderFullBootScript({
    labId: 'x-1',
    name: 'a',
    address: '10.98.0.11/24',
    gateway: '10.98.0.1',
    mac: '02:00:00:00:00:0b',
    machineId: '0123456789abcdef0123456789abcdef',
    dir: '/labs/x/hosts/a',
    switchNamespace: '/proc/5/ns/net',
    port: 'v-a',
    hierarchies: places,
    shared: ['/repo'],
    base: '/cache/base',
    devices: ['/dev/kmsg'],
    unmounted: ['hugetlb'],
    commandLine: ['cloud-init=enabled', 'ds=nocloud-net;s=http://10.98.0.2/a/'],
  }).split('\n');
  const cgroups = '/labs/x/hosts/a/cgroup';
  assert.deepEqual(
    script.filter((line) => line.includes(`${cgroups}/`) && line.includes('mount')),
    [
      `mkdir -p /cg/cpu,cpuacct/a ${cgroups}/cpu,cpuacct; mount --bind /cg/cpu,cpuacct/a ${cgroups}/cpu,cpuacct`,
      `mkdir -p /cg/cpuset/a ${cgroups}/cpuset; mount --bind /cg/cpuset/a ${cgroups}/cpuset`,
      `mkdir -p /cg/systemd/a/payload ${cgroups}/systemd; mount --bind /cg/systemd/a/payload ${cgroups}/systemd`,
      `mkdir -p /cg/unified/a/payload ${cgroups}/unified; mount --bind /cg/unified/a/payload ${cgroups}/unified`,
      `mkdir -p ${cgroups}/hugetlb; mount --bind ${cgroups}/hugetlb ${cgroups}/hugetlb`,
    ],
  );
  const boot = script.find((line) => line.includes('systemd-nspawn')) ?? '';
  for (const part of [
    '--network-namespace-path=/proc/$$/ns/net',
    '--capability=all --drop-capability=CAP_SYS_TIME',
    '--system-call-filter="@keyring bpf"',
    '--bind=/dev/kmsg',
    '--bind=/labs/x/hosts/a/disk/var-lib-rancher:/var/lib/rancher',
    "--bind-ro='/repo'",
    // A semicolon ends no command.
    "systemd.unified_cgroup_hierarchy=0 'cloud-init=enabled' 'ds=nocloud-net;s=http://10.98.0.2/a/'",
    // A reboot from inside boots again, a power cut does not.
    '[ "$code" = 133 ] || exit "$code"',
  ])
    assert.ok(boot.includes(part), part);
});
