import { readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Log } from '@rfo/foundation';
import type { Paths } from '../paths.ts';
import type { EtcdPeer } from '../supervisor/api.ts';

/** Asks the server at this address for the members, as the majority knows them. */
export type AskServer = (address: string, signal: AbortSignal) => Promise<readonly EtcdPeer[]>;

/** Old data folders that are kept. */
const keptBackups = 5;

/**
 * Asks every other server that was known, all at once, whether this one is a member still. The first answer counts; `unknown` when nobody
 * answers in time, as after a power cut of all.
 * @param within milliseconds
 */
export async function lookForSelf(input: {
  readonly name: string;
  readonly known: readonly EtcdPeer[];
  readonly ask: AskServer;
  readonly signal: AbortSignal;
  readonly within?: number;
}): Promise<'in' | 'out' | 'unknown'> {
  const { name, known, ask, signal, within = 3_000 } = input;
  const self = known.find((member) => member.name === name);
  const addresses = new Set(
    known.filter((member) => member !== self).flatMap(({ peerUrls }) => peerUrls.map((url) => new URL(url).hostname)),
  );
  if (addresses.size === 0) return 'unknown';
  const bound = AbortSignal.any([signal, AbortSignal.timeout(within)]);
  try {
    const members = await Promise.any([...addresses].map((address) => ask(address, bound)));
    // The id where it is known: a cluster that was restored has other members of the same names.
    return members.some((member) => (self === undefined ? member.name === name : member.id === self.id)) ? 'in' : 'out';
  } catch {
    signal.throwIfAborted();
    return 'unknown';
  }
}

/** Moves the data of a member that was removed to `etcd-backup-<seconds since 1970>` beside it, and forgets what it was; keeps five such. */
export async function moveDataAside(paths: Paths, { now, log }: { readonly now: number; readonly log: Log }): Promise<void> {
  const { etcd, etcdMember, etcdMembers } = paths.server;
  const folder = dirname(etcd);
  const backup = join(folder, `etcd-backup-${Math.floor(now / 1000)}`);
  await rename(etcd, backup);
  await rm(etcdMember, { force: true });
  await rm(etcdMembers, { force: true });
  log.warn('the data of a member that was removed was moved aside', { backup });
  const backups = (await readdir(folder)).filter((name) => /^etcd-backup-\d+$/.test(name)).sort();
  for (const old of backups.slice(0, -keptBackups)) await rm(join(folder, old), { recursive: true });
}
