import type { Life, Log } from '@rfo/foundation';
import { createInformer, type Informer, type KubeClient, type KubeObject } from '@rfo/kube';

export type KnownNodes = {
  readonly informer: Informer<KubeObject>;
  /** Whether there is a Node of this name; undefined until the API has told which there are. */
  readonly isKnown: (name: string) => boolean | undefined;
};

/** Follows which Nodes there are; of each only its name and uid is kept. */
export function followNodes(input: { readonly client: KubeClient; readonly life: Life; readonly log: Log }): KnownNodes {
  const informer = createInformer<KubeObject>({ ...input, kind: { apiVersion: 'v1', kind: 'Node' }, transform: onlyIdentity });
  let synced = false;
  informer.synced.then(
    () => {
      synced = true;
    },
    () => undefined, // The life has ended.
  );
  return { informer, isKnown: (name) => (synced ? informer.store.get(name) !== undefined : undefined) };
}

function onlyIdentity({ apiVersion, kind, metadata: { name, uid } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(uid !== undefined && { uid }) } };
}
