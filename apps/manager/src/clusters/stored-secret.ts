/** Small records of the manager in Secrets, changed only if nobody else did meanwhile. */
import { isAlreadyExists, isConflict, type KubeClient, type ObjectRef, readEntry, renderEntries, type Secret, secretKind } from '@rfo/kube';

/** A Secret with JSON under the key `record`. */
export type SecretRecord<T> = { readonly secret: Secret; readonly value: T };

const key = 'record';

export function secretRef(namespace: string, name: string): ObjectRef {
  return { ...secretKind, namespace, name };
}

/** @param parse throws for what is no such record */
export async function readRecord<T>(
  client: KubeClient,
  ref: ObjectRef,
  parse: (value: unknown) => T,
): Promise<SecretRecord<T> | undefined> {
  const secret = await client.find<Secret>(ref);
  return secret === undefined ? undefined : { secret, value: parse(JSON.parse(readEntry(secret, key) ?? 'null')) };
}

/**
 * Brings the record from what it is to what `change` makes of it, again if somebody else was quicker; undefined from `change` leaves it.
 * Gives what it is then.
 */
export async function changeRecord<T>(
  client: KubeClient,
  ref: ObjectRef,
  options: {
    readonly parse: (value: unknown) => T;
    readonly change: (value: T | undefined) => T | undefined;
    readonly labels?: Readonly<Record<string, string>>;
  },
): Promise<T | undefined> {
  for (;;) {
    const found = await readRecord(client, ref, options.parse);
    const next = options.change(found?.value);
    if (next === undefined) return found?.value;
    const data = renderEntries({ [key]: JSON.stringify(next) });
    try {
      if (found !== undefined) await client.replace({ ...found.secret, data });
      else await client.create(newSecret(ref, data, options.labels));
      return next;
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
    }
  }
}

function newSecret(ref: ObjectRef, data: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}): Secret {
  const { name, namespace } = ref;
  return {
    ...secretKind,
    type: 'Opaque',
    metadata: { name, ...(namespace !== undefined && { namespace }), labels: { 'app.kubernetes.io/managed-by': 'rfo-manager', ...labels } },
    data,
  };
}
