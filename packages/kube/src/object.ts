/** What every Kubernetes object has, as it stands in JSON: plain data, never instances of a class. */
export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string; readonly subresource?: string }[];
};

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/** Names a kind: `{ apiVersion: 'apps/v1', kind: 'Deployment' }`. */
export type Kind = { readonly apiVersion: string; readonly kind: string };

/** Names an object. `namespace` only where the kind has one. */
export type ObjectRef = Kind & { readonly name: string; readonly namespace?: string };

export type KubeObject = Kind & {
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly [field: string]: unknown;
};

export type ObjectList<T extends KubeObject = KubeObject> = {
  readonly items: readonly T[];
  /** The state of the cluster that the list shows; a watch goes on from it. */
  readonly resourceVersion: string;
};

/** The form in which a list is accepted where the metadata of its objects is all that is wanted of them. */
export const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** `namespace/name`, or `name` of an object without a namespace: the key in stores and queues. */
export function objectKey({ namespace, name }: { readonly namespace?: string; readonly name: string }): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The reverse of `objectKey`. */
export function splitKey(key: string): { readonly namespace?: string; readonly name: string } {
  const at = key.indexOf('/');
  return at < 0 ? { name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) };
}

/** Names the object itself. */
export function refOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): ObjectRef {
  return { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) };
}

/** `Deployment kube-system/coredns`, for people. */
export function formatRef(ref: ObjectRef): string {
  return `${ref.kind} ${objectKey(ref)}`;
}

/** The group of `apps/v1` is `apps`, that of `v1` is empty. */
export function groupOf(apiVersion: string): string {
  const at = apiVersion.indexOf('/');
  return at < 0 ? '' : apiVersion.slice(0, at);
}
