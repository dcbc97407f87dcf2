/** What the kernel says in /proc, read into values: pure parsers, so that every kind of host can be tested from a text. */

export type Mount = {
  /** Order of mounting: a higher id was mounted later, so it is unmounted first. */
  readonly id: number;
  /** The mount that it is mounted on. */
  readonly parent: number;
  /** `major:minor` of the filesystem. */
  readonly device: string;
  /** Folder of the filesystem that is shown: `/`, or what a bind mount was made of. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly source: string;
  /** Options of the mount and of its filesystem together. */
  readonly options: readonly string[];
};

/** Reads `/proc/<pid>/mountinfo` (format: proc_pid_mountinfo(5)). */
export function parseMountinfo(text: string): Mount[] {
  return lines(text).map((line) => {
    const [left = '', right = ''] = line.split(' - ', 2);
    const [id = '', parent = '', device = '', root = '', point = '', own = ''] = left.split(' ');
    const [type = '', source = '', filesystem = ''] = right.split(' ');
    return {
      id: Number(id),
      parent: Number(parent),
      device,
      root: unescapeOctal(root),
      point: unescapeOctal(point),
      type,
      source: unescapeOctal(source),
      options: [own, filesystem].join(',').split(','),
    };
  });
}

/** Interface of the IPv4 default route with the lowest metric in `/proc/net/route`, or undefined. */
export function parseDefaultRoute(text: string): string | undefined {
  const routes = lines(text)
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter(([, destination, , flags, , , , mask]) => destination === '00000000' && mask === '00000000' && isUp(flags))
    .map(([iface = '', , , , , , metric]) => ({ iface, metric: Number(metric) }));
  return routes.toSorted((a, b) => a.metric - b.metric)[0]?.iface;
}

/** Whether the effective capabilities of `/proc/<pid>/status` hold the capability with this number (capabilities(7)). */
export function hasCapability(status: string, number: number): boolean {
  const hex = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return hex !== undefined && ((BigInt(`0x${hex}`) >> BigInt(number)) & 1n) === 1n;
}

/** cgroup version and controllers that processes can be limited by, from mountinfo and (for v2) `cgroup.controllers`. */
export function parseCgroups(mounts: readonly Mount[], controllers2: string): { version: 'v1' | 'v2'; controllers: string[] } | undefined {
  const at = (type: string): Mount[] => mounts.filter((mount) => mount.type === type && /^\/sys\/fs\/cgroup(\/|$)/.test(mount.point));
  if (at('cgroup2').some((mount) => mount.point === '/sys/fs/cgroup')) {
    return { version: 'v2', controllers: controllers2.split(/\s+/).filter((name) => name !== '') };
  }
  const known = [
    'cpu',
    'cpuacct',
    'cpuset',
    'memory',
    'pids',
    'devices',
    'freezer',
    'blkio',
    'hugetlb',
    'net_cls',
    'net_prio',
    'perf_event',
  ];
  const found = known.filter((name) => at('cgroup').some((mount) => mount.options.includes(name)));
  return found.length === 0 ? undefined : { version: 'v1', controllers: found };
}

/** Value in bytes of a field such as `MemTotal` in `/proc/meminfo`; 0 when it is missing. */
export function meminfoBytes(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

/** Major and minor number of a kernel release such as `5.10.0-216.0.0.115.oe2203sp4.x86_64`. */
export function parseKernelRelease(release: string): { major: number; minor: number } {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return { major: Number(major), minor: Number(minor) };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function isUp(flags: string | undefined): boolean {
  return (Number.parseInt(flags ?? '0', 16) & 1) === 1;
}

function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
