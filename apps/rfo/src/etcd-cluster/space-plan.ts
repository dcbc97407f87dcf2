/** Decides when and in which order etcd's members get their space back: no input or output here. */
import type { EtcdAlarm, EtcdMember, EtcdStatus } from '@rfo/etcd';

export type SpaceThresholds = {
  /** Bytes, and share of the file, that defragmenting would give back at least. */
  readonly reclaimable: number;
  readonly share: number;
  /** Share of the quota up to which data may fill it for writes to be allowed again. */
  readonly full: number;
};
export const usualThresholds: SpaceThresholds = { reclaimable: 100e6, share: 0.5, full: 0.9 };

type Sizes = Pick<EtcdStatus, 'dbSize' | 'dbSizeInUse' | 'dbSizeQuota'>;

export function isWorthDefragmenting({ dbSize, dbSizeInUse }: Sizes, { reclaimable, share }: SpaceThresholds): boolean {
  const free = Number(dbSize) - Number(dbSizeInUse);
  return free >= reclaimable && free >= Number(dbSize) * share;
}

/** @param sizes as they are after a defragmentation: the data itself fills the quota, and only deleting helps */
export function isFullOfData({ dbSize, dbSizeQuota }: Sizes, { full }: SpaceThresholds): boolean {
  return Number(dbSize) > Number(dbSizeQuota) * full;
}

/**
 * Whose turn it is among the members that the alarm stands for: by id, the leader last. The alarms are the list of what is to be done that
 * all members share, and they can be changed while nothing else can be written.
 */
export function whoseTurn(alarms: readonly EtcdAlarm[], leader: string): string | undefined {
  const ids = alarms.filter(({ alarm }) => alarm === 'NOSPACE').map(({ memberId }) => memberId);
  return ids.sort((one, other) => Number(one === leader) - Number(other === leader) || Number(BigInt(one) - BigInt(other)))[0];
}

/** The members that have to be put on the list: those that answer, once for each time that space runs out. */
export function missingOnList(alarms: readonly EtcdAlarm[], members: readonly EtcdMember[], living: ReadonlySet<string>): string[] {
  const listed = new Set(alarms.filter(({ alarm }) => alarm === 'NOSPACE').map(({ memberId }) => memberId));
  return members.map(({ id }) => id).filter((id) => living.has(id) && !listed.has(id));
}
