/** Ties the password of a node to the Node, with which it then goes, and removes those whose Node never came. */
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import {
  createController,
  createInformer,
  fromInformer,
  type Informer,
  type KubeClient,
  type KubeObject,
  objectKey,
  refOf,
  secretKind,
} from '@rfo/kube';
import type { ClusterNode } from '../server/cluster-nodes.ts';
import { nodeNameOfSecret, nodePasswordRef, nodePasswordType } from './node-passwords.ts';

/** Milliseconds in which a node that joined must have registered itself. */
const orphanAfter = 10 * 60_000;

/** Runs until its life ends, on every server: nothing goes wrong when several do the same. */
export function removeOrphanPasswords(input: {
  readonly client: KubeClient;
  readonly nodes: Informer<ClusterNode>;
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
}): void {
  const { client, nodes, life, log, clock = systemClock } = input;
  const secrets = createInformer<KubeObject>({
    ...{ client, life, log },
    ...{ kind: secretKind, namespace: 'kube-system', fieldSelector: `type=${nodePasswordType}` },
    transform: withoutData,
  });

  createController({
    name: 'the care for node passwords',
    sources: [
      fromInformer(secrets),
      fromInformer(nodes, ({ key, before, after }) =>
        before?.metadata.uid === after?.metadata.uid ? [] : [objectKey(nodePasswordRef(key))],
      ),
    ],
    ...{ life, log },
    reconcile: async (key, signal) => {
      const secret = secrets.store.get(key);
      if (secret === undefined) return undefined;
      const { name, uid, creationTimestamp = '' } = secret.metadata;
      const ref = refOf(secret);
      const node = nodes.store.get(nodeNameOfSecret(name));
      if (node?.metadata.uid !== undefined) {
        if (secret.metadata.ownerReferences?.some((owner) => owner.uid === node.metadata.uid)) return undefined;
        const owner = { apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid };
        await client.patch(ref, { metadata: { uid, ownerReferences: [owner] } }, { signal });
        return undefined;
      }
      const left = Date.parse(creationTimestamp) + orphanAfter - clock.now();
      if (left > 0) return { requeueAfter: left };
      await client.delete(ref, { signal, ...(uid !== undefined && { uid }) });
      log.info('the password of a node that never came was removed', { node: nodeNameOfSecret(name) });
      return undefined;
    },
  });
}

function withoutData({ apiVersion, kind, metadata: { managedFields: _, ...metadata } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata };
}
