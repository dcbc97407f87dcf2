import { fail, type Log } from '@rfo/foundation';
import { type KubeClient, type KubeObject, watch } from '@rfo/kube';

type Node = KubeObject & {
  readonly spec?: { readonly podCIDR?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/**
 * Gives the pod range of the node's object, when it exists and has one, which kube-proxy and flannel give up on after 30 s.
 * @param mustExist it was there before: a kubelet registers its Node once, at its start, and one that was deleted since never comes back by itself
 * @param rangeless called once when the node exists without a range
 * @throws node-deleted, and what `rangeless` throws
 */
export async function nodeRegistered(
  input: Wait & { readonly mustExist?: boolean; readonly rangeless?: (() => Promise<void>) | undefined },
): Promise<string> {
  const { rangeless } = input;
  if (rangeless !== undefined && (await waitForNode(input, ({ spec }) => spec?.podCIDR ?? '')) === '') await rangeless();
  return waitForNode(input, ({ spec }) => spec?.podCIDR);
}

/** Resolves when the node's condition Ready is true. */
export async function nodeReady(input: Wait): Promise<void> {
  await waitForNode(input, ({ status }) => status?.conditions?.find(({ type, status: is }) => type === 'Ready' && is === 'True'));
}

type Wait = { readonly client: KubeClient; readonly nodeName: string; readonly signal: AbortSignal; readonly log: Log };

/** Gives the first thing that `look` finds in the node. */
async function waitForNode<T>(
  { client, nodeName, signal, log, mustExist = false }: Wait & { readonly mustExist?: boolean },
  look: (node: Node) => T | undefined,
): Promise<T> {
  const items = watch<Node>({
    client,
    kind: { apiVersion: 'v1', kind: 'Node' },
    fieldSelector: `metadata.name=${nodeName}`,
    signal,
    onError: (error) => log.debug('the watch of the node failed', { error }),
  });
  let exists = false;
  for await (const item of items) {
    if (item.type === 'synced' && mustExist && !exists) throw fail('node-deleted', { name: nodeName });
    if (item.type !== 'added' && item.type !== 'modified') continue;
    exists = true;
    const found = look(item.object);
    if (found !== undefined) return found;
  }
  throw signal.reason;
}
