// Which packages of the host's distribution the repository needs: the one table, and the pure function that reads it.

export type Manager = 'apt' | 'dnf';
export type Purpose = 'build' | 'run' | 'test';
export type Probe = { readonly command: string } | { readonly file: string };
type HostNeed = { readonly probe: Probe; readonly purpose: Purpose; readonly why: string } & Readonly<Record<Manager, string>>;
export type MissingPackage = { readonly name: string; readonly why: string };

/** `file` is looked for in the usual include and library folders. */
const hostNeeds: readonly HostNeed[] = [
  {
    probe: { file: 'seccomp.h' },
    purpose: 'build',
    why: 'runc filters system calls with it',
    apt: 'libseccomp-dev',
    dnf: 'libseccomp-devel',
  },
  {
    probe: { file: 'libseccomp.a' },
    purpose: 'build',
    why: 'runc is linked statically',
    apt: 'libseccomp-dev',
    dnf: 'libseccomp-static',
  },
  { probe: { file: 'libc.a' }, purpose: 'build', why: 'runc and pause are linked statically', apt: 'libc6-dev', dnf: 'glibc-static' },
  { probe: { command: 'pkg-config' }, purpose: 'build', why: 'finds libseccomp for runc', apt: 'pkg-config', dnf: 'pkgconf-pkg-config' },
  { probe: { command: 'iptables-restore' }, purpose: 'run', why: 'services and host ports', apt: 'iptables', dnf: 'iptables' },
  { probe: { command: 'nft' }, purpose: 'run', why: 'services where the kernel has nftables', apt: 'nftables', dnf: 'nftables' },
  { probe: { command: 'ip' }, purpose: 'run', why: 'network interfaces of pods', apt: 'iproute2', dnf: 'iproute' },
  { probe: { command: 'modprobe' }, purpose: 'run', why: 'loads kernel modules', apt: 'kmod', dnf: 'kmod' },
  { probe: { command: 'mount' }, purpose: 'run', why: 'volumes of pods', apt: 'mount', dnf: 'util-linux' },
  { probe: { command: 'unshare' }, purpose: 'run', why: 'tries what the kernel can do', apt: 'util-linux', dnf: 'util-linux' },
  { probe: { command: 'busybox' }, purpose: 'test', why: 'what the test pods run', apt: 'busybox-static', dnf: 'busybox' },
  { probe: { command: 'openssl' }, purpose: 'test', why: 'reads certificates independently', apt: 'openssl', dnf: 'openssl' },
  { probe: { command: 'mkfs.ext4' }, purpose: 'test', why: 'the full-disk scenario', apt: 'e2fsprogs', dnf: 'e2fsprogs' },
];

/**
 * The packages to install, each once, in the table's order.
 * @param present whether the host has what a need looks for
 */
export function missingPackages(host: {
  readonly manager: Manager;
  readonly purposes: readonly Purpose[];
  readonly present: (probe: Probe) => boolean;
}): readonly MissingPackage[] {
  const missing = new Map<string, string>();
  for (const need of hostNeeds) {
    if (!host.purposes.includes(need.purpose) || host.present(need.probe)) continue;
    const name = need[host.manager];
    if (!missing.has(name)) missing.set(name, need.why);
  }
  return [...missing].map(([name, why]) => ({ name, why }));
}

/** The command that installs these packages. dnf goes on without a name it does not know: openEuler keeps static libraries in -devel. */
export function installCommand(manager: Manager, names: readonly string[]): readonly string[] {
  if (manager === 'apt') return ['apt-get', 'install', '-y', '--no-install-recommends', ...names];
  return ['dnf', 'install', '-y', '--setopt=strict=0', '--setopt=install_weak_deps=False', ...names];
}
