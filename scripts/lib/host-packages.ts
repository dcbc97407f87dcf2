// Which packages of the host's distribution the repository needs: the one table, and the pure function that reads it.

export type Manager = 'apt' | 'dnf';
/** `full-hosts`: scenarios on hosts with systemd; `browser`: those in which people sit at one. Most people never run them. */
export type Purpose = 'build' | 'run' | 'test' | 'full-hosts' | 'browser';
export type Probe = { readonly command: string } | { readonly file: string };
/**
 * `partOf`: made from the same source as this package, so that another version would replace that of the host.
 * `unpacked`: its installation would start a service of the host, so it is only unpacked, for our own use.
 */
type Package = { readonly name: string; readonly partOf?: string; readonly unpacked?: true };
type HostNeed = { readonly probe: Probe; readonly purpose: Purpose; readonly why: string } & Readonly<Record<Manager, string | Package>>;
export type MissingPackage = Package & { readonly why: string };

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
  { probe: { command: 'python3' }, purpose: 'test', why: 'delays between hosts of the lab', apt: 'python3', dnf: 'python3' },
  {
    probe: { command: 'slapd' },
    purpose: 'test',
    why: 'the directory that people sign in by',
    apt: { name: 'slapd', unpacked: true },
    dnf: 'openldap-servers',
  },
  {
    probe: { command: 'debootstrap' },
    purpose: 'full-hosts',
    why: 'the root file system of full hosts',
    apt: 'debootstrap',
    dnf: 'debootstrap',
  },
  {
    probe: { command: 'systemd-nspawn' },
    purpose: 'full-hosts',
    why: 'boots full hosts',
    apt: { name: 'systemd-container', partOf: 'systemd' },
    dnf: { name: 'systemd-container', partOf: 'systemd' },
  },
  { probe: { command: 'ssh' }, purpose: 'full-hosts', why: 'logs in to full hosts', apt: 'openssh-client', dnf: 'openssh-clients' },
  { probe: { command: 'chromium' }, purpose: 'browser', why: 'opens the pages of the manager', apt: 'chromium', dnf: 'chromium' },
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
  const missing = new Map<string, MissingPackage>();
  for (const need of hostNeeds) {
    if (!host.purposes.includes(need.purpose) || host.present(need.probe)) continue;
    const wanted = need[host.manager];
    const { name, ...rest } = typeof wanted === 'string' ? { name: wanted } : wanted;
    if (!missing.has(name)) missing.set(name, { name, ...rest, why: need.why });
  }
  return [...missing.values()];
}

/** The command that prints the version in which the host has a package. */
export function versionCommand(manager: Manager, name: string): readonly string[] {
  if (manager === 'apt') return ['dpkg-query', '--show', `--showformat=\${Version}`, name];
  return ['rpm', '--query', '--queryformat=%{VERSION}-%{RELEASE}', name];
}

/** How the package manager is asked for this version and no other. */
export function atVersion(manager: Manager, name: string, version: string): string {
  return manager === 'apt' ? `${name}=${version}` : `${name}-${version}`;
}

/** The command that fetches a package of apt, with what the host lacks of what it needs, into a folder that has a folder `partial`. */
export function fetchCommand(name: string, folder: string): readonly string[] {
  const options = [`Dir::Cache::archives=${folder}`, 'Debug::NoLocking=1'].flatMap((option) => ['-o', option]);
  return ['apt-get', 'install', '-y', '--no-install-recommends', '--download-only', ...options, name];
}

/** The command that installs these packages. dnf goes on without a name it does not know: openEuler keeps static libraries in -devel. */
export function installCommand(manager: Manager, names: readonly string[]): readonly string[] {
  if (manager === 'apt') return ['apt-get', 'install', '-y', '--no-install-recommends', ...names];
  return ['dnf', 'install', '-y', '--setopt=strict=0', '--setopt=install_weak_deps=False', ...names];
}
