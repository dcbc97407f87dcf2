/** Follows what in a cluster decides which rights can stand there: its namespaces, and whether somebody meddles with what the manager has put into them. */
import type { Life, Log } from '@rfo/foundation';
import { createInformer, type KubeClient, type KubeObject } from '@rfo/kube';
import { managedLabel } from './names.ts';
import { roleBindingKind } from './render-rights.ts';

export type FollowedCluster = {
  readonly client: KubeClient;
  /** Whether it exists and is not about to end. */
  readonly hasNamespace: (name: string) => boolean;
  readonly synced: Promise<unknown>;
  readonly end: () => Promise<void>;
};

/**
 * Until its end. Two watches, so it is for clusters with single namespaces in projects only.
 * @param changed told the names of namespaces that came, went or had a binding of ours changed
 */
export function followCluster({
  client,
  changed,
  life: parent,
  log,
}: {
  readonly client: KubeClient;
  readonly changed: (namespace: string) => void;
  readonly life: Life;
  readonly log: Log;
}): FollowedCluster {
  const life = parent.child();
  const namespaces = createInformer<KubeObject>({ client, kind: { apiVersion: 'v1', kind: 'Namespace' }, transform: onlyName, life, log });
  const bindings = createInformer<KubeObject>({
    client,
    kind: roleBindingKind,
    labelSelector: `${managedLabel.name}=${managedLabel.value}`,
    transform: onlyName,
    life,
    log,
  });
  const stays = (object: KubeObject | undefined): boolean => object !== undefined && object.metadata.deletionTimestamp === undefined;
  namespaces.subscribe(({ key, before, after }) => {
    if (stays(before) !== stays(after) || before?.metadata.uid !== after?.metadata.uid) changed(key);
  });
  bindings.subscribe(({ before, after }) => {
    const { namespace } = (after ?? before)?.metadata ?? {};
    if (namespace !== undefined) changed(namespace);
  });
  return {
    client,
    hasNamespace: (name) => stays(namespaces.store.get(name)),
    synced: namespaces.synced,
    end: () => life.end(),
  };
}

/** Nothing else is asked of it, and there may be thousands. */
function onlyName({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    },
  };
}
