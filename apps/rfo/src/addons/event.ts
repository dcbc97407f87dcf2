import { randomBytes } from 'node:crypto';
import type { EventObject } from '@rfo/kube';
import { addonKind, addonNamespace } from './addon.ts';

export type EventReason = 'ApplyingManifest' | 'AppliedManifest' | 'ApplyManifestFailed' | 'ParseManifestFailed' | 'DeletingManifest';
export type AddonEvent = { readonly addon: string; readonly reason: EventReason; readonly message: string };

const longest = 1024;

/** The Event that `kubectl describe addon` shows. Reasons are K3s's. */
export function renderEvent(
  event: AddonEvent,
  { uid, node, now }: { readonly uid: string | undefined; readonly node: string; readonly now: Date },
): EventObject {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // The time first: Events of an Addon then list in their order.
    metadata: { name: `${event.addon}.${now.getTime().toString(16)}${randomBytes(4).toString('hex')}`, namespace: addonNamespace },
    involvedObject: { ...addonKind, name: event.addon, namespace: addonNamespace, ...(uid !== undefined && { uid }) },
    type: event.reason.endsWith('Failed') ? 'Warning' : 'Normal',
    reason: event.reason,
    message: event.message.length > longest ? `${event.message.slice(0, longest - 1)}…` : event.message,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    source: { component: 'rfo-addons', host: node },
  };
}
