/** Services of the host that get in a pod network's way: firewalld, NetworkManager, nm-cloud-setup; and swap. */
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, systemCode, writeFileAtomic } from '@rfo/foundation';
import { execute } from '../execute.ts';
import { type Check, type Finding, ok, warn } from './finding.ts';

const networkManagerFolder = '/etc/NetworkManager';
/** The same as deploy/openeuler/rfo.conf, which packages install; a test compares them. */
export const networkManagerDropIn = `# Keeps NetworkManager off the interfaces of pods.
[keyfile]
unmanaged-devices=interface-name:cni0;interface-name:flannel*;interface-name:veth*;interface-name:cali*
`;

export const checkServices: Check = async () => {
  const [firewalld, cloudSetup, networkManager] = await Promise.all(['firewalld', 'nm-cloud-setup.timer', 'NetworkManager'].map(isActive));
  return [
    firewalld === true
      ? warn(
          'firewalld',
          'active: it drops what pods send each other',
          'systemctl disable --now firewalld, or trust the ranges of pods and services',
          () => disable('firewalld'),
        )
      : ok('firewalld', 'not active'),
    cloudSetup === true
      ? warn(
          'nm-cloud-setup',
          'active: its routing rules lead pod traffic astray',
          'systemctl disable --now nm-cloud-setup.service nm-cloud-setup.timer',
          () => disable('nm-cloud-setup.service', 'nm-cloud-setup.timer'),
        )
      : ok('nm-cloud-setup', 'not active'),
    await networkManagerFinding(networkManager === true),
    await swapFinding(),
  ];
};

async function networkManagerFinding(active: boolean): Promise<Finding> {
  if (!active) return ok('NetworkManager', 'not active');
  const file = join(networkManagerFolder, 'conf.d', 'rfo.conf');
  if (await exists(file)) return ok('NetworkManager', `leaves the interfaces of pods alone (${file})`);
  return warn('NetworkManager', 'takes over the interfaces of pods', `Write ${file}, then: systemctl reload NetworkManager`, async () => {
    await mkdir(join(networkManagerFolder, 'conf.d'), { recursive: true });
    await writeFileAtomic(file, networkManagerDropIn, 0o644);
    const run = await execute('systemctl', ['reload', 'NetworkManager']);
    return run.ok ? `${file} written` : `${file} written, but NetworkManager did not reload: ${run.stderr}`;
  });
}

async function swapFinding(): Promise<Finding> {
  const used = ((await readFileIfExists('/proc/swaps')) ?? '').trim().split('\n').slice(1);
  if (used.length === 0) return ok('swap', 'off');
  return warn(
    'swap',
    `on (${used.map((line) => line.split(/\s+/)[0]).join(', ')}): the memory of pods is not swapped, but the rest of the host slows them down`,
    'swapoff -a, and remove it from /etc/fstab',
  );
}

/** Undefined on a host without systemd. */
async function isActive(unit: string): Promise<boolean | undefined> {
  if (!(await exists('/run/systemd/system'))) return undefined;
  return (await execute('systemctl', ['is-active', '--quiet', unit])).ok;
}

async function disable(...units: string[]): Promise<string> {
  const run = await execute('systemctl', ['disable', '--now', ...units]);
  return run.ok ? `${units.join(', ')} disabled` : run.stderr;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
