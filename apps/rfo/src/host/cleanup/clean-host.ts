/**
 * Ends everything that remains of a node on its host once its components are stopped: containers, mounts, pod network, firewall rules, cgroups,
 * kernel settings, run-time files. What is on disk (images, volumes, etcd) stays. The same in shell, for a host without Node: deploy/rfo-killall.sh.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, systemCode } from '@rfo/foundation';
import type { Paths } from '../../paths.ts';
import { removeRecordedAddress } from '../../vip/address.ts';
import { hostFolders } from '../folders.ts';
import { restoreSettings } from '../kernel-settings.ts';
import { settingsMemory } from '../setup.ts';
import { removePodCgroups } from './cgroups.ts';
import { removeFirewallRules } from './firewall.ts';
import { removeFolder, unmountBelow, unmountSelf } from './mounts.ts';
import { removePodNetwork } from './network.ts';
import { endContainers } from './processes.ts';

export type CleanOptions = {
  readonly paths: Paths;
  /** Milliseconds the containers have to end by themselves. */
  readonly graceMs: number;
  readonly log: Log;
};

/**
 * May be called at any time and again: what is gone already is passed over.
 * @returns what could not be removed, as sentences; empty when the host is clean
 */
export async function cleanHost({ paths, graceMs, log }: CleanOptions): Promise<{ left: string[] }> {
  const address = await removeRecordedAddress(paths.vipRecord);
  const sockets = await shimSockets(paths);
  const processes = await endContainers(paths.agent.containerdSocket, graceMs);
  const [mounts, network, firewall] = await Promise.all([unmountBelow(mountRoots(paths)), removePodNetwork(paths), removeFirewallRules()]);
  const self = await unmountSelf(hostFolders(paths).kubeletRoot);
  const [cgroups, settings] = await Promise.all([removePodCgroups(), restoreSettings(settingsMemory(paths))]);
  await Promise.all(sockets.map((socket) => rm(socket, { force: true })));
  const folders = processes.length > 0 ? [] : await Promise.all(runtimeFolders(paths).map(removeFolder));
  if (settings.length === 0) await rm(settingsMemory(paths), { force: true });
  const left = [...address, ...processes, ...mounts, ...self, ...network, ...firewall, ...cgroups, ...settings, ...folders.flat()];
  for (const what of left) log.warn(`left behind: ${what}`);
  return { left };
}

/** Only below these anything is unmounted; all of them are made by the node alone. */
function mountRoots(paths: Paths): string[] {
  const { kubeletRoot } = hostFolders(paths);
  return [paths.run, join(kubeletRoot, 'pods'), join(kubeletRoot, 'plugins'), join(paths.agent.containerdRoot, 'tmpmounts')];
}

function runtimeFolders(paths: Paths): string[] {
  return [paths.agent.containerdState, join(paths.agent.flannelSubnet, '..'), join(hostFolders(paths).nriSocket, '..')].filter((folder) =>
    folder.startsWith(`${paths.run}/`),
  );
}

/** Sockets of our shims. They lie in /run/containerd/s whatever containerd's state folder is, and stay there when a shim is killed. */
async function shimSockets(paths: Paths): Promise<string[]> {
  const tasks = join(paths.agent.containerdState, 'io.containerd.runtime.v2.task', 'k8s.io');
  const bundles = await readdir(tasks).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const addresses = await Promise.all(bundles.map((id) => shimAddress(join(tasks, id))));
  return [...new Set(addresses.filter((address) => address !== undefined))];
}

/** `bootstrap.json` of a shim since containerd 2.0: `{"address": "unix:///run/containerd/s/<hash>", …}`. */
async function shimAddress(bundle: string): Promise<string | undefined> {
  try {
    const { address } = JSON.parse(await readFile(join(bundle, 'bootstrap.json'), 'utf8')) as { address?: string };
    return address?.startsWith('unix://') === true ? address.slice('unix://'.length) : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
