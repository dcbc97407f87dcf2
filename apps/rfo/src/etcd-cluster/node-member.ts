/** How a Node shows its member of etcd: annotations, condition, finalizer. */
import type { EtcdMember } from '@rfo/etcd';
import type { Condition, KubeObject } from '@rfo/kube';

export const annotations = {
  /** The member's name, and the address that the others reach it by. */
  name: 'etcd.rfo.io/node-name',
  address: 'etcd.rfo.io/node-address',
  /** `true`: the member is to be removed, the Node stays. */
  remove: 'etcd.rfo.io/remove',
  /** The member that was removed by that. */
  removed: 'etcd.rfo.io/removed-node-name',
} as const;

/** Keeps a deleted Node until its member is removed, also when no server was there to see the deletion. */
export const finalizer = 'etcd.rfo.io/member';

export type ServerNode = KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } };

/** Whether a Node shows a member of etcd, is held by one, or asks for its removal. */
export function isMembersNode(node: ServerNode | undefined): boolean {
  const { finalizers = [], annotations: now = {} } = node?.metadata ?? {};
  return finalizers.includes(finalizer) || now[annotations.name] !== undefined || now[annotations.remove] !== undefined;
}

/** What a Node asks for: the removal of its member, by its deletion or by annotation. */
export function wishOf({ metadata }: ServerNode): 'delete' | 'remove' | undefined {
  if (metadata.deletionTimestamp !== undefined) return metadata.finalizers?.includes(finalizer) ? 'delete' : undefined;
  return metadata.annotations?.[annotations.remove] === 'true' ? 'remove' : undefined;
}

/** The member that stands behind a Node. The first server's goes by the Node's name, before the Node says so itself. */
export function memberOf(node: ServerNode, members: readonly EtcdMember[]): EtcdMember | undefined {
  return members.find(({ name }) => name === nameOf(node));
}

export function nameOf({ metadata }: ServerNode): string {
  return metadata.annotations?.[annotations.name] ?? metadata.name;
}

/** The patch (strategic merge) that lets a Node show its member; undefined where it does. */
export function renderNodePatch(node: ServerNode, member: { readonly name: string; readonly address: string }): object | undefined {
  const { annotations: now = {}, finalizers = [] } = node.metadata;
  const wanted = { [annotations.name]: member.name, [annotations.address]: member.address };
  const shown = Object.entries(wanted).every(([key, value]) => now[key] === value) && now[annotations.removed] === undefined;
  if (shown && finalizers.includes(finalizer)) return undefined;
  return { metadata: { annotations: { ...wanted, [annotations.removed]: null }, finalizers: [finalizer] } };
}

/** The patch for a Node whose member is gone: it keeps nothing of it but the name. */
export function renderRemovedPatch(name: string): object {
  const gone = { [annotations.name]: null, [annotations.address]: null, [annotations.removed]: name };
  return { metadata: { annotations: { [annotations.remove]: null, ...gone }, ...withoutFinalizer } };
}

/** The patch that ends a wish which is not fulfilled: a Node may go, an annotation is cleared. */
export function renderRefusedPatch(wish: 'delete' | 'remove'): object {
  return { metadata: wish === 'delete' ? withoutFinalizer : { annotations: { [annotations.remove]: null } } };
}

const withoutFinalizer = { '$deleteFromPrimitiveList/finalizers': [finalizer] };

/** The condition `EtcdIsVoter`, with the time of the last change kept while it says the same; undefined where nothing is to be written. */
export function renderCondition(
  node: ServerNode,
  input: { readonly reason: 'VotingMember' | 'Removed'; readonly message: string; readonly now: Date },
): Condition | undefined {
  const { reason, message, now } = input;
  const status = reason === 'VotingMember' ? 'True' : 'False';
  const found = node.status?.conditions?.find(({ type }) => type === 'EtcdIsVoter');
  if (found?.status === status && found.reason === reason && found.message === message) return undefined;
  const time = found?.status === status ? found.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`;
  return { type: 'EtcdIsVoter', status, reason, message, lastTransitionTime: time };
}
