import { type EtcdMember, etcdRefusal } from '@rfo/etcd';
import { isNotFound } from '@rfo/kube';
import type { Look } from './care-for-members.ts';
import { judgeRemoval, type RemovalVerdict } from './judge-members.ts';
import { memberOf, nameOf, renderCondition, renderRefusedPatch, renderRemovedPatch, type ServerNode, wishOf } from './node-member.ts';
import { livingOf } from './probe-peer.ts';

/** Removes the members whose Nodes ask for it, one after the other and never against the majority; the Nodes then are let go. */
export async function removeWishedMembers(look: Look): Promise<void> {
  for (const node of look.options.nodes.store.list()) {
    const wish = wishOf(node);
    if (wish !== undefined) await fulfil(look, node, wish);
  }
}

async function fulfil(look: Look, node: ServerNode, wish: 'delete' | 'remove'): Promise<void> {
  const { options, pace, signal } = look;
  const { etcd, probe } = options;
  // Asked anew for each: the last removal changed it.
  const members = await etcd.members({ linearizable: true, signal });
  const target = memberOf(node, members);
  if (target === undefined) return patchNode(look, node, renderRemovedPatch(nameOf(node)));
  const living = await livingOf(members, { probe, signal });
  const verdict = judgeRemoval({ members, living, target, leader: look.self.id });
  if (verdict.kind === 'remove') return remove(look, node, target);
  if (verdict.kind === 'move-leader') {
    // The server that leads next goes on with it.
    await etcd.moveLeader(verdict.target, { signal: AbortSignal.any([signal, AbortSignal.timeout(pace.move)]) });
    return;
  }
  await decline(look, { node, wish, target, verdict });
}

async function remove(look: Look, node: ServerNode, target: EtcdMember): Promise<void> {
  const { options, tell, signal } = look;
  const { etcd, clock } = options;
  try {
    await etcd.memberRemove(target.id, { signal });
  } catch (error) {
    // etcd looks at its connections, which may have broken since we asked.
    const because = etcdRefusal(error);
    if (because === undefined) throw error;
    return decline(look, { node, wish: 'remove', target, verdict: { kind: 'wait', because } });
  }
  const message = `the etcd member ${target.name} was removed`;
  tell({ nodeName: node.metadata.name, type: 'Normal', reason: 'EtcdMemberRemoved', message });
  const condition = renderCondition(node, { reason: 'Removed', message, now: new Date(clock.now()) });
  if (condition !== undefined) await patchNode(look, node, { status: { conditions: [condition] } }, 'status');
  await patchNode(look, node, renderRemovedPatch(target.name));
}

type Declined = {
  readonly node: ServerNode;
  readonly wish: 'delete' | 'remove';
  readonly target: EtcdMember;
  readonly verdict: Extract<RemovalVerdict, { because: string }>;
};

async function decline(look: Look, { node, wish, target, verdict }: Declined): Promise<void> {
  const nodeName = node.metadata.name;
  const never = verdict.kind === 'refuse';
  const reason = never ? 'EtcdRemovalRefused' : 'EtcdRemovalWaits';
  const message = never ? `${verdict.because}: it stays` : `the etcd member ${target.name} cannot be removed yet: ${verdict.because}`;
  // What waits is said once, not at every look.
  if (never || !look.said.has(message)) look.tell({ nodeName, type: 'Warning', reason, message });
  look.said.add(message);
  if (never) await patchNode(look, node, renderRefusedPatch(wish));
}

async function patchNode({ options: { client }, signal }: Look, node: ServerNode, patch: object, subresource?: 'status'): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Node', name: node.metadata.name };
  await client.patch(ref, patch, { type: 'strategic', signal, ...(subresource && { subresource }) }).catch((error: unknown) => {
    // The user took the finalizer away himself.
    if (!isNotFound(error)) throw error;
  });
}
