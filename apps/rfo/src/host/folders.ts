/** The folders outside the data directory's own that kubelet and containerd use. */
import { join } from 'node:path';
import type { Paths } from '../paths.ts';

export type HostFolders = {
  /** kubelet's `--root-dir`. */
  readonly kubeletRoot: string;
  readonly podLogs: string;
  readonly nriSocket: string;
};

/** Where a node that is installed on the host keeps its data. */
const installedData = '/var/lib/rancher/rfo';

/**
 * An installed node uses the places that everybody expects (CSI drivers mount /var/lib/kubelet, log collectors /var/log/pods); one that was
 * started elsewhere keeps to its own data directory, so that it disturbs no other node and leaves nothing behind.
 */
export function hostFolders(paths: Paths): HostFolders {
  if (paths.data === installedData) {
    return { kubeletRoot: '/var/lib/kubelet', podLogs: '/var/log/pods', nriSocket: '/var/run/nri/nri.sock' };
  }
  return {
    kubeletRoot: join(paths.agent.root, 'kubelet'),
    podLogs: join(paths.logs, 'pods'),
    nriSocket: join(paths.run, 'nri', 'nri.sock'),
  };
}
