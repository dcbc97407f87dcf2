/** Renders the script that boots a full host: systemd in systemd-nspawn, on a base image that it only reads. Shell: see boot-script.ts. */
import { type BootInputs, diskFolders, diskName } from './boot-script.ts';

export type FullBootInputs = BootInputs & {
  /** The root file system that all full hosts have in common. */
  readonly base: string;
  readonly labId: string;
  /** Devices of this machine that it gets, such as /dev/kmsg. */
  readonly devices: readonly string[];
  /** Controllers that this machine has nowhere mounted on v1, such as net_cls. */
  readonly unmounted: readonly string[];
  /** Further words that the inside takes for the command line of its kernel: as systemd does in a container, it reads those of process 1. */
  readonly commandLine: readonly string[];
};

/** nspawn ends with this code when the inside wants to reboot and nobody outside manages it. */
const REBOOT = 133;

export function renderFullBootScript(inputs: FullBootInputs): string {
  const { name, dir, base } = inputs;
  const root = `${dir}/root`;
  return [
    'set -eu',
    // The network is made out here, so that it outlives a reboot.
    'ip link set lo up',
    `ip link add eth0 address ${inputs.mac} type veth peer name ${inputs.port} netns ${inputs.switchNamespace}`,
    `ip addr add ${inputs.address} dev eth0`,
    'ip link set eth0 up',
    `ip route add default via ${inputs.gateway}`,
    `mount -t overlay overlay -o lowerdir='${base}',upperdir=${dir}/upper,workdir=${dir}/work ${root}`,
    ...renderCgroups(inputs),
    `rm -f ${root}/etc/resolv.conf`,
    `echo ${name} > ${root}/etc/hostname`,
    `printf '127.0.0.1 localhost\\n${inputs.address.split('/')[0]} ${name}\\n' > ${root}/etc/hosts`,
    `echo nameserver ${inputs.gateway} > ${root}/etc/resolv.conf`,
    `echo ${inputs.machineId} > ${root}/etc/machine-id`,
    // nspawn's own locks and sockets: nothing of them stays on this machine.
    'mkdir -p /run/systemd',
    'mount -t tmpfs -o mode=755 tmpfs /run/systemd',
    'echo ready >&3',
    'exec 3>&-',
    `while :; do code=0; ${renderNspawn(inputs)} || code=$?; [ "$code" = ${REBOOT} ] || exit "$code"; done`,
    '',
  ].join('\n');
}

/** What the inside sees as /sys/fs/cgroup: the host's own directories as if they were the roots. */
function renderCgroups({ dir, hierarchies, unmounted }: FullBootInputs): readonly string[] {
  const lines = [`mkdir -p ${dir}/cgroup`, `mount -t tmpfs -o mode=755 cgroup ${dir}/cgroup`];
  for (const { hierarchy, path } of hierarchies) {
    const at = `${dir}/cgroup/${hierarchy.folder}`;
    const payload = payloadOf(hierarchy.folder, path);
    lines.push(`mkdir -p ${payload} ${at}; mount --bind ${payload} ${at}`);
    for (const link of hierarchy.links) lines.push(`ln -s ${hierarchy.folder} ${dir}/cgroup/${link}`);
  }
  // Where something is mounted systemd mounts nothing: it would begin to use the controller for the whole machine.
  for (const name of unmounted) lines.push(`mkdir -p ${dir}/cgroup/${name}; mount --bind ${dir}/cgroup/${name} ${dir}/cgroup/${name}`);
  return lines;
}

/** Where the processes of the inside are: nspawn moves them down in these two hierarchies, and only there. */
export function payloadOf(folder: string, path: string): string {
  return folder === 'systemd' || folder === 'unified' ? `${path}/payload` : path;
}

function renderNspawn({ name, dir, labId, devices, shared, commandLine }: FullBootInputs): string {
  return [
    // Inside it is a cgroup v1 machine as this one, and may set what the kernel lets be set.
    'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1',
    `systemd-nspawn --quiet --directory=${dir}/root --machine=${name} --boot --register=no --keep-unit`,
    '--network-namespace-path=/proc/$$/ns/net',
    '--capability=all --drop-capability=CAP_SYS_TIME',
    // runc makes a session keyring for each container.
    '--system-call-filter="@keyring bpf"',
    '--resolv-conf=off --link-journal=no --timezone=off --console=pipe',
    `--setenv=RFO_LAB_ID=${labId}`,
    `--bind=${dir}/cgroup:/sys/fs/cgroup`,
    ...devices.map((path) => `--bind=${path}`),
    ...diskFolders.map((path) => `--bind=${dir}/disk/${diskName(path)}:${path}`),
    ...shared.map((path) => `--bind-ro='${path}'`),
    'systemd.unified_cgroup_hierarchy=0',
    ...commandLine.map((word) => `'${word}'`),
  ].join(' ');
}
