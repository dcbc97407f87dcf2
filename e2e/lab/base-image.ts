/** The root file system that full hosts have in common: a Debian with systemd and sshd, made once by debootstrap. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fail, systemCode } from '@rfo/foundation';
import { baseEnvironment, must, run } from './run.ts';

const suite = 'bookworm';
/** What a server usually has; nothing that RFO would bring itself. No time daemon: the clock is this machine's. */
const packages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'ca-certificates', 'curl', 'sudo', 'netbase'],
  ...['iproute2', 'iptables', 'nftables', 'conntrack', 'ethtool', 'iputils-ping', 'kmod', 'mount', 'procps', 'util-linux', 'socat'],
  // Node itself needs it.
  'libatomic1',
  // Real user data is read by the real program. The second is what it needs under another name, which debootstrap does not look up.
  ...['cloud-init', 'python3-cffi-backend'],
];
/** Units that have no work in a container, or that would do it to this machine. */
const masked = [
  ...['systemd-udevd.service', 'systemd-udev-trigger.service', 'systemd-modules-load.service', 'systemd-networkd-wait-online.service'],
  ...['getty@.service', 'console-getty.service', 'systemd-resolved.service'],
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'fstrim.timer', 'e2scrub_all.timer'],
];
/** The kernel's settings are this machine's too: the distribution's defaults must not be set for it. */
const finish = [
  ': > etc/machine-id',
  'rm -f usr/lib/sysctl.d/*.conf etc/sysctl.d/*.conf',
  'rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/*',
  // Off unless a host is given a seed by its command line (cloud-init=enabled). The network is the lab's, root logs in, and there are no locales.
  ': > etc/cloud/cloud-init.disabled',
  "printf 'network: {config: disabled}\\ndisable_root: false\\nlocale: false\\n' > etc/cloud/cloud.cfg.d/99-lab.cfg",
  ...masked.map((unit) => `ln -sf /dev/null etc/systemd/system/${unit}`),
];
const tools = { debootstrap: 'debootstrap', 'systemd-nspawn': 'systemd-container', ssh: 'openssh-client', 'ssh-keygen': 'openssh-client' };

/**
 * The folder of the base image; it takes one to two minutes and 300 MB the first time, and a working Debian mirror
 * (`RFO_LAB_DEBIAN_MIRROR`, by default debootstrap's own).
 * @param cache where it is kept, under a name that changes with what is in it
 * @param say gets each line of progress
 * @throws `tool-missing` for a missing host package, `process-failed` with debootstrap's last lines
 */
export async function ensureBaseImage(options: {
  readonly cache: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { cache, say, signal } = options;
  await checkTools();
  const hash = createHash('sha256')
    .update(JSON.stringify([suite, packages, finish]))
    .digest('hex')
    .slice(0, 12);
  const base = join(cache, `lab-base-${hash}`);
  if (existsSync(base)) return base;
  await mkdir(cache, { recursive: true });
  await removeUnfinished(cache);
  const partial = `${base}.partial-${process.pid}`;
  try {
    say(`lab: making the base image of full hosts once (${basename(base)}): a minute or two`);
    await debootstrap(partial, { say, signal });
    await must(['sh', '-ec', ['cd "$1"', ...finish].join('\n'), 'sh', partial], { signal });
    await rename(partial, base);
  } catch (error) {
    // Another process was faster: its result is as good.
    if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  say('lab: the base image is ready');
  return base;
}

async function checkTools(): Promise<void> {
  for (const [command, name] of Object.entries(tools)) {
    if ((await run(['sh', '-c', `command -v ${command}`])).code === 0) continue;
    throw fail('tool-missing', { what: command, cure: `Full hosts of the lab need it: apt-get install ${name}` });
  }
}

/** In mounts of its own, so that what it mounts in the new root ends with it whichever way it ends. */
async function debootstrap(
  target: string,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const mirror = process.env.RFO_LAB_DEBIAN_MIRROR;
  const flags = ['--variant=minbase', '--force-check-gpg', `--include=${packages.join(',')}`];
  const command = [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'debootstrap',
    ...flags,
    suite,
    target,
    ...(mirror === undefined ? [] : [mirror]),
  ];
  const [file = '', ...args] = command;
  const env = { ...baseEnvironment(), ...proxyEnvironment() };
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  await once(child, 'spawn');
  const limit = AbortSignal.any([signal, AbortSignal.timeout(900_000)]);
  const stop = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  limit.addEventListener('abort', stop, { once: true });
  const last: string[] = [];
  let told = Date.now();
  const hear = (line: string): void => {
    last.push(line);
    if (last.length > 10) last.shift();
    if (Date.now() - told < 5000) return;
    told = Date.now();
    say(`lab: ${line.replace(/^I: /, '')}`);
  };
  createInterface(child.stdout).on('line', hear);
  createInterface(child.stderr).on('line', hear);
  try {
    const [code] = await once(child, 'close');
    limit.throwIfAborted();
    if (code !== 0) {
      throw fail('process-failed', {
        name: 'debootstrap',
        status: `exit code ${code}`,
        output: `:\n${last.join('\n')}`,
        log: 'the lines above',
      });
    }
  } finally {
    limit.removeEventListener('abort', stop);
  }
}

/** wget, by which debootstrap fetches, knows the way out of this machine by these alone. */
function proxyEnvironment(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] ?? '']])));
}

/** What a process left that was killed meanwhile. */
async function removeUnfinished(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const pid = /^lab-base-.*\.partial-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await rm(join(cache, name), { recursive: true, force: true });
  }
}
