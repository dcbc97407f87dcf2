/** A full host: systemd and sshd on a root of its own, as a machine that one installs; booted in two seconds, made of a base image. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '@rfo/foundation';
import { diskFolders, diskName } from './boot-script.ts';
import type { HostPlace } from './cgroups.ts';
import { portsOf } from './faults.ts';
import { payloadOf, renderFullBootScript } from './full-boot-script.ts';
import type { Host, Machine } from './host.ts';
import { startHost } from './power.ts';
import { must, type RunOptions, type RunResult, run } from './run.ts';
import type { Switch } from './switch.ts';

export type FullHost = Host & {
  /** Runs a shell line over ssh as root, from the switch; 255 is ssh's own failure. */
  readonly ssh: (line: string, options?: RunOptions) => Promise<RunResult>;
  /** A code other than 0 throws; gives stdout. */
  readonly systemctl: (...args: readonly string[]) => Promise<string>;
  /** Waits until systemd has started all that it shall; throws with the failed units when there are any. */
  readonly untilBooted: () => Promise<void>;
  /** Reboots as an administrator does, and waits until it is up again. */
  readonly reboot: () => Promise<void>;
};

export type FullInputs = {
  readonly labId: string;
  readonly name: string;
  readonly dir: string;
  readonly switchNamespace: string;
  readonly places: readonly HostPlace[];
  readonly outside: readonly string[];
  /** Read-only inside, at the same place. */
  readonly shared: readonly string[];
  readonly base: string;
  /** File of the key that `ssh` uses; `.pub` beside it. */
  readonly key: string;
  /** Further words that the inside takes for the command line of its kernel. */
  readonly commandLine: readonly string[];
};

/** @throws `host-not-ready` where the machine has no cgroup v1 hierarchies, on which nspawn's part was tried */
export function fullMachine(inputs: FullInputs): Machine {
  const { labId, name, dir, switchNamespace, places, outside, shared, base, key, commandLine } = inputs;
  if (places.some(({ hierarchy }) => hierarchy.unified)) {
    const problems = 'full hosts of the lab are made for cgroup v1 and hybrid machines';
    throw fail('host-not-ready', { problems, cure: 'Boot with systemd.unified_cgroup_hierarchy=0, or use light hosts' });
  }
  return {
    disks: ['upper', 'work', ...diskFolders.map((path) => join('disk', diskName(path)))],
    members: places.map(({ hierarchy, path }) => join(payloadOf(hierarchy.folder, path), 'cgroup.procs')),
    install: async () => {
      const folder = join(dir, 'upper/root/.ssh');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'authorized_keys'), await readFile(`${key}.pub`), { mode: 0o600 });
      for (const path of [folder, join(folder, '..')]) await chmod(path, 0o700);
    },
    powerOn: async (identity) => {
      const script = renderFullBootScript({
        ...identity,
        ...{ labId, name, dir, switchNamespace, port: portsOf(name).port, hierarchies: places, shared, base, commandLine },
        devices: ['/dev/kmsg', '/dev/fuse'].filter((path) => existsSync(path)),
        unmounted: unmountedControllers(await readFile('/proc/cgroups', 'utf8'), places),
      });
      const namespaces = ['--mount', '--net'];
      return await startHost({ labId, name, places, outside, namespaces, script, logFile: join(dir, 'logs', 'boot.log') });
    },
  };
}

/** @param controllers text of /proc/cgroups, cgroups(7) */
export function unmountedControllers(controllers: string, places: readonly HostPlace[]): readonly string[] {
  const mounted = new Set(places.flatMap(({ hierarchy }) => [hierarchy.folder, ...hierarchy.links]));
  const rows = controllers.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return rows.map((line) => line.split('\t')[0] ?? '').filter((name) => !mounted.has(name));
}

export function withSystemd(host: Host, { at, key }: { readonly at: Switch; readonly key: string }): FullHost {
  const untilBooted = async (): Promise<void> => {
    const deadline = Date.now() + 120_000;
    let seen = '';
    for (;;) {
      try {
        const left = Math.max(1000, deadline - Date.now());
        const { stdout, stderr } = await host.exec(['systemctl', 'is-system-running', '--wait'], { timeout: left });
        seen = (stdout + stderr).trim();
      } catch (error) {
        seen = error instanceof Error ? error.message : String(error);
      }
      if (seen === 'running') return;
      if (seen === 'degraded') break;
      if (Date.now() > deadline) throw fail('timeout', { what: `the boot of ${host.name}`, seconds: 120, cure: `Seen last: ${seen}` });
      // It does not listen yet, and nobody outside is told when it does.
      await delay(50);
    }
    const output = `:\n${await host.must(['systemctl', 'list-units', '--failed', '--plain', '--no-legend'])}`;
    throw fail('process-failed', {
      name: `the boot of ${host.name}`,
      status: 'failed units',
      output,
      log: join(host.dir, 'logs/boot.log'),
    });
  };
  const systemctl = (...args: readonly string[]): Promise<string> => host.must(['systemctl', ...args], { timeout: 180_000 });
  const added = {
    ssh: (line: string, options: RunOptions = {}) => run(at.render(renderSsh({ key, ip: host.ip, line })), options),
    systemctl,
    untilBooted,
    reboot: async () => {
      const before = host.init();
      await systemctl('reboot');
      const deadline = Date.now() + 180_000;
      // The process that the order went to ends last; the next one is another.
      while (host.findInit() === before) {
        if (Date.now() > deadline) throw fail('timeout', { what: `the reboot of ${host.name}`, seconds: 180, cure: 'See its journal' });
        await delay(20);
      }
      await untilBooted();
    },
  };
  // Not a copy: the address may change.
  return Object.defineProperties(added, Object.getOwnPropertyDescriptors(host)) as FullHost;
}

/** Makes the key by which this lab logs in to its full hosts. */
export async function makeKey(file: string): Promise<void> {
  if (!existsSync(file)) await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file]);
}

function renderSsh({ key, ip, line }: { readonly key: string; readonly ip: string; readonly line: string }): readonly string[] {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=10'];
  return ['ssh', '-F', 'none', '-i', key, ...options.flatMap((option) => ['-o', option]), `root@${ip}`, line];
}
