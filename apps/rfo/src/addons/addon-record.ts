import type { Condition, ObjectRef } from '@rfo/kube';
import { type Addon, addonKind, addonNamespace, kindsAnnotation, nodeAnnotation } from './addon.ts';

/** What is remembered of one file, as the code uses it. */
export type AddonRecord = {
  readonly name: string;
  readonly source: string;
  readonly checksum: string;
  readonly node: string | undefined;
  readonly objects: readonly ObjectRef[];
  /** Why the file is in the state it is in: `Applied` alone means that all is well. */
  readonly reason: Reason;
  readonly message: string;
  /** When the condition last went from True to False or back, RFC 3339. */
  readonly since: string;
};

export type Reason = 'Applying' | 'Applied' | 'ApplyFailed' | 'ParseFailed' | 'Waiting' | 'Unknown';

export function parseAddon(addon: Addon): AddonRecord {
  const condition = addon.status?.conditions?.find(({ type }) => type === 'Applied');
  return {
    name: addon.metadata.name,
    source: addon.spec.source,
    checksum: addon.spec.checksum,
    node: addon.metadata.annotations?.[nodeAnnotation],
    objects: addon.status?.objects ?? [],
    reason: reasons.find((reason) => reason === condition?.reason) ?? 'Unknown',
    message: condition?.message ?? '',
    since: condition?.lastTransitionTime ?? '',
  };
}

const reasons: readonly Reason[] = ['Applying', 'Applied', 'ApplyFailed', 'ParseFailed', 'Waiting'];

/** The record's Addon; its status is written apart (`renderStatus`). */
export function renderAddon(record: AddonRecord): Addon {
  return {
    ...addonKind,
    metadata: {
      name: record.name,
      namespace: addonNamespace,
      annotations: { [kindsAnnotation]: formatKinds(record.objects), ...(record.node !== undefined && { [nodeAnnotation]: record.node }) },
    },
    spec: { source: record.source, checksum: record.checksum },
  };
}

export function renderStatus(record: AddonRecord): Addon {
  const applied = record.reason === 'Applied';
  const condition: Condition = {
    type: 'Applied',
    status: applied ? 'True' : 'False',
    reason: record.reason,
    message: record.message,
    lastTransitionTime: record.since,
  };
  const { metadata, ...rest } = renderAddon(record);
  const { annotations: _, ...plain } = metadata;
  return {
    ...rest,
    metadata: plain,
    status: { conditions: [condition], objects: record.objects, ...(applied ? {} : { error: record.message }) },
  };
}

/** The record in a new state; `since` moves only when it becomes applied or ceases to be. */
export function withState(
  record: Omit<AddonRecord, 'reason' | 'message' | 'since'>,
  state: { readonly reason: Reason; readonly message: string },
  { previous, now }: { readonly previous: AddonRecord | undefined; readonly now: Date },
): AddonRecord {
  const same = previous?.since && (previous.reason === 'Applied') === (state.reason === 'Applied');
  return { ...record, ...state, since: same ? previous.since : `${now.toISOString().slice(0, 19)}Z` };
}

/** As K3s writes it: `apps/v1, Kind=Deployment;/v1, Kind=Service`. */
function formatKinds(objects: readonly ObjectRef[]): string {
  const kinds = objects.map(({ apiVersion, kind }) => `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`);
  return [...new Set(kinds)].sort().join(';');
}
