/** Renders the script that turns a fresh set of namespaces into a host and becomes its process 1. Shell: it runs before there is a Node. */
import type { Hierarchy } from './cgroups.ts';

export type BootInputs = {
  readonly name: string;
  /** Address with prefix length, such as 10.98.0.11/24. */
  readonly address: string;
  readonly gateway: string;
  /** Of eth0: the same after each boot, as others remember it. */
  readonly mac: string;
  /** 32 hex digits. */
  readonly machineId: string;
  /** Folder of the host on disk: `root` (mount point), `upper`, `work`, `disk/…`. */
  readonly dir: string;
  /** Where the host's end of the cable is plugged in: path of the switch's network namespace and the name of the port there. */
  readonly switchNamespace: string;
  readonly port: string;
  readonly hierarchies: readonly { readonly hierarchy: Hierarchy; readonly path: string }[];
  /** Folders shared with the machine: the checkout and every further file system that is not part of the root. */
  readonly shared: readonly string[];
};

/**
 * Folders that are plain directories and not part of the root overlay: overlayfs (containerd's snapshots) cannot stand on itself, and what a node on
 * this machine has configured, its password first of all, is not that of every host.
 */
export const diskFolders = [
  '/etc/rancher',
  '/var/lib/rancher',
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/var/lib/containerd',
  '/var/log',
] as const;

/**
 * The host's root is an overlay over the machine's root: all programs are there, all that is written stays in `upper`.
 * The script writes `ready` to descriptor 3 when the host is up. At the end process 1 is a `sleep` that ignores SIGCHLD: the kernel reaps
 * orphans of such a process by itself, so the lightest program there is serves as init.
 */
export function renderBootScript(inputs: BootInputs): string {
  const { name, dir, hierarchies, shared } = inputs;
  const root = `${dir}/root`;
  return [
    'set -eu',
    // The cable first: the path of the switch is only to be seen in the machine's /proc.
    'ip link set lo up',
    `ip link add eth0 address ${inputs.mac} type veth peer name ${inputs.port} netns ${inputs.switchNamespace}`,
    `ip addr add ${inputs.address} dev eth0`,
    'ip link set eth0 up',
    `ip route add default via ${inputs.gateway}`,
    `echo ${name} > /proc/sys/kernel/hostname`,
    `mount -t overlay overlay -o lowerdir=/,upperdir=${dir}/upper,workdir=${dir}/work ${root}`,
    ...['/run', '/tmp', '/var/tmp'].map(
      (path) => `mkdir -p ${root}${path}; mount -t tmpfs -o mode=${path === '/run' ? '755' : '1777'} tmpfs ${root}${path}`,
    ),
    ...shared.map((path) => `mkdir -p '${root}${path}'; mount --bind '${path}' '${root}${path}'`),
    ...diskFolders.map((path) => `mkdir -p ${root}${path}; mount --bind ${dir}/disk/${diskName(path)} ${root}${path}`),
    `mount -t proc proc ${root}/proc`,
    `mount -t sysfs sysfs ${root}/sys`,
    ...renderCgroupMounts(root, hierarchies),
    `mount --bind /dev ${root}/dev`,
    `mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts ${root}/dev/pts`,
    `mount -t tmpfs tmpfs ${root}/dev/shm`,
    `cd ${root}`,
    'mkdir -p .machine',
    'pivot_root . .machine',
    'cd /',
    'umount -l /.machine',
    'rmdir /.machine',
    'mount --make-rshared /',
    ...hierarchies.filter(({ hierarchy }) => hierarchy.unified).map(({ hierarchy }) => renderLeave(mountPoint(hierarchy))),
    'mkdir -p /run/lock /run/netns',
    // They may be links into /run, which is empty now.
    'rm -f /etc/hostname /etc/hosts /etc/resolv.conf /etc/machine-id',
    `echo ${name} > /etc/hostname`,
    `printf '127.0.0.1 localhost\\n${inputs.address.split('/')[0]} ${name}\\n' > /etc/hosts`,
    // Nobody answers there, but not on loopback either: what cluster DNS forwards to fails at once.
    `echo nameserver ${inputs.gateway} > /etc/resolv.conf`,
    `echo ${inputs.machineId} > /etc/machine-id`,
    'echo ready >&3',
    'exec 3>&-',
    'exec env --ignore-signal=CHLD sleep infinity',
    '',
  ].join('\n');
}

/** The folder below `disk/` that holds one of `diskFolders`. */
export function diskName(path: string): string {
  return path.slice(1).replaceAll('/', '-');
}

/** A cgroup v2 machine has one mount at the top; on v1 and hybrid ones every hierarchy has its own below a tmpfs. */
function renderCgroupMounts(root: string, hierarchies: BootInputs['hierarchies']): readonly string[] {
  const single = hierarchies.length === 1 && hierarchies[0]?.hierarchy.unified === true;
  const lines = single ? [] : [`mount -t tmpfs -o mode=755 cgroup ${root}/sys/fs/cgroup`];
  for (const { hierarchy, path } of hierarchies) {
    const at = `${root}${mountPoint(hierarchy)}`;
    lines.push(`mkdir -p ${at}; mount --bind ${path} ${at}`);
    for (const link of hierarchy.links) lines.push(`ln -s ${hierarchy.folder} ${root}/sys/fs/cgroup/${link}`);
  }
  return lines;
}

/** On v2 the root of the host must hold no process itself, or nothing can turn on controllers for its children. */
function renderLeave(at: string): string {
  return `mkdir -p ${at}/init; echo 1 > ${at}/init/cgroup.procs`;
}

function mountPoint(hierarchy: Hierarchy): string {
  return hierarchy.folder === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${hierarchy.folder}`;
}
