import type { Log } from '@rfo/foundation';
import { stopNamed } from '@rfo/process';
import type { Paths } from '../paths.ts';

/** Milliseconds. An API server whose etcd answers needs one second. */
const grace = 3_000;

/**
 * Ends what an earlier rfo left running with an address that the host has no more, before anything is started with the new one. First the API
 * server, which takes its endpoint out of etcd where that is possible. Where it is not, as etcd lost sight of the other members with its
 * address, both would wait for it for as long as they are let.
 */
export async function endMoved(paths: Paths, log: Log): Promise<void> {
  const because = 'ending what knows the old address alone';
  await stopNamed({ folder: paths.processRecords, names: ['kube-apiserver', 'etcd'], grace, because, log });
}
