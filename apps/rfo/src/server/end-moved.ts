import type { Log } from '@rfo/foundation';
import { stopNamed } from '@rfo/process';
import type { Paths } from '../paths.ts';

/**
 * First the clients of the API server: it is away for some seconds now, and each failed attempt doubles the pause before their next one, up to a
 * minute. Then the API server itself, which takes its endpoint out of etcd, and at last that.
 */
const groups = [['kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'rfo-manager'], ['kube-apiserver'], ['etcd']] as const;

/**
 * Milliseconds. Where etcd answers, the API server needs one second. But etcd may have lost sight of the other members with its address, and then
 * each of them would wait for it as long as it is let.
 */
const grace = 2_000;

/** Ends what an earlier rfo left running with an address that the host has no more, before anything is started with the new one. */
export async function endMoved(paths: Paths, log: Log): Promise<void> {
  await stopNamed({ folder: paths.processRecords, groups, grace, because: 'ending what knows the old address', log });
}
