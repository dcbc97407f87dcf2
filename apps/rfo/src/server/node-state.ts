import type { Log } from '@rfo/foundation';
import { type KubeClient, type KubeObject, watch } from '@rfo/kube';

type Node = KubeObject & {
  readonly spec?: { readonly podCIDR?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/** Resolves when the node's object exists and has its pod range, which kube-proxy and flannel give up on after 30 s. */
export function nodeRegistered(input: Wait): Promise<void> {
  return waitForNode(input, ({ spec }) => spec?.podCIDR !== undefined);
}

/** Resolves when the node's condition Ready is true. */
export function nodeReady(input: Wait): Promise<void> {
  return waitForNode(input, ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true);
}

type Wait = { readonly client: KubeClient; readonly nodeName: string; readonly signal: AbortSignal; readonly log: Log };

async function waitForNode({ client, nodeName, signal, log }: Wait, holds: (node: Node) => boolean): Promise<void> {
  const items = watch<Node>({
    client,
    kind: { apiVersion: 'v1', kind: 'Node' },
    fieldSelector: `metadata.name=${nodeName}`,
    signal,
    onError: (error) => log.debug('the watch of the node failed', { error }),
  });
  for await (const item of items) {
    if ((item.type === 'added' || item.type === 'modified') && holds(item.object)) return;
  }
  signal.throwIfAborted();
}
