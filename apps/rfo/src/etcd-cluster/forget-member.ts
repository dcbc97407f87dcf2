import { isNotFound, type KubeClient } from '@rfo/kube';
import { isMembersNode, nameOf, renderCondition, renderRemovedPatch, type ServerNode } from './node-member.ts';

/**
 * Takes from a Node what it shows of a member of etcd, where its server has none any more: annotations, and the finalizer, for which a deletion
 * of the Node would wait. Does nothing where there is nothing of it.
 */
export async function forgetMember(input: {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly now: Date;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, nodeName, now, signal } = input;
  const ref = { apiVersion: 'v1', kind: 'Node', name: nodeName };
  const node = await client.find<ServerNode>(ref, { signal });
  if (node === undefined || !isMembersNode(node)) return;
  const name = nameOf(node);
  const patch = async (change: object, subresource?: 'status'): Promise<void> => {
    await client.patch(ref, change, { type: 'strategic', signal, ...(subresource && { subresource }) }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  };
  const condition = renderCondition(node, { reason: 'Removed', message: `the etcd member ${name} was removed`, now });
  if (condition !== undefined) await patch({ status: { conditions: [condition] } }, 'status');
  await patch(renderRemovedPatch(name));
}
