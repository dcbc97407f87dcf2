/** Takes away what RFO has put into a cluster. */
import { silentLog } from '@rfo/foundation';
import { apiStatus, type Kind, type KubeClient, type KubeObject, type ObjectRef } from '@rfo/kube';
import { agentName, agentNamespace } from '@rfo/schema';
import { removeEndpoint } from '../../endpoint/endpoint-objects.ts';
import { removeRights } from '../../rights/remove-rights.ts';
import { nodePathName } from '../render-import.ts';

const rbac = 'rbac.authorization.k8s.io/v1';
const binding: ObjectRef = { apiVersion: rbac, kind: 'ClusterRoleBinding', name: agentName };
/** What the import made there; the binding, without which nothing more could be removed, is the last. */
const agentObjects: readonly ObjectRef[] = [
  { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: agentNamespace, name: nodePathName },
  { apiVersion: 'apps/v1', kind: 'Deployment', namespace: agentNamespace, name: agentName },
  { apiVersion: 'v1', kind: 'ServiceAccount', namespace: agentNamespace, name: agentName },
  { apiVersion: 'v1', kind: 'Secret', namespace: agentNamespace, name: agentName },
];

/**
 * Removes the rights that the manager has written, and then the agent: all of it becomes the property of its ClusterRoleBinding, so that the cluster's own
 * garbage collector takes it away when that goes; the agent could not remove itself. The namespace goes the same way if nothing else is in it.
 * Throws what the API says.
 */
export async function removeAgent(client: KubeClient, signal: AbortSignal): Promise<void> {
  await removeRights({ client, signal, log: silentLog });
  await removeEndpoint(client, { signal });
  const owner = await client.find<KubeObject>(binding, { signal });
  if (owner === undefined) return;
  const { name, uid } = owner.metadata;
  const ownerReferences = [{ apiVersion: rbac, kind: 'ClusterRoleBinding', name, uid }];
  const namespace: ObjectRef = { apiVersion: 'v1', kind: 'Namespace', name: agentNamespace };
  const owned = (await hasOthers(client, signal)) ? agentObjects : [...agentObjects, namespace];
  for (const ref of owned) {
    await client.patch(ref, { metadata: { ownerReferences } }, { signal }).catch((error: unknown) => {
      if (apiStatus(error)?.status !== 404) throw error;
    });
  }
  await client.delete(binding, { propagation: 'Background', signal });
}

/** Whether the namespace holds anything that is not of the agent: it may be that of another program of RFO. */
async function hasOthers(client: KubeClient, signal: AbortSignal): Promise<boolean> {
  const kinds: readonly (readonly [Kind, (name: string) => boolean])[] = [
    [{ apiVersion: 'apps/v1', kind: 'Deployment' }, (name) => name === agentName],
    [{ apiVersion: 'apps/v1', kind: 'StatefulSet' }, () => false],
    [{ apiVersion: 'apps/v1', kind: 'DaemonSet' }, (name) => name === nodePathName],
    [{ apiVersion: 'v1', kind: 'Secret' }, (name) => name === agentName],
    [{ apiVersion: 'v1', kind: 'ConfigMap' }, (name) => name === 'kube-root-ca.crt'],
    [{ apiVersion: 'v1', kind: 'ServiceAccount' }, (name) => name === agentName || name === 'default'],
  ];
  for (const [kind, isOurs] of kinds) {
    const { items } = await client.list(kind, { namespace: agentNamespace, signal });
    if (items.some(({ metadata }) => !isOurs(metadata.name))) return true;
  }
  return false;
}
