/** What a server can tell of the manager that runs on it, read from where the manager keeps it. */
import { X509Certificate } from 'node:crypto';
import { isConflict, type KubeClient, type KubeObject, readEntry, type Secret, secretKind } from '@rfo/kube';

export type ManagerFacts = {
  /** As people and other clusters know it. */
  readonly address: string;
  /** Of its CA, `sha256:…`; undefined where it has a certificate of the administrator's. */
  readonly pin: string | undefined;
  /** The one that the administrator signs in with for the first time, while it is unchanged. */
  readonly password: string | undefined;
  /** That password was shown before. */
  readonly shown: boolean;
  /** Where it stands. */
  readonly namespace: string;
};

type Setting = KubeObject & { readonly spec: { readonly value: string } };

const secretIn = (namespace: string, name: string) => ({ ...secretKind, namespace, name });
const administratorName = 'rfo-administrator';
const shownAnnotation = 'rfo.io/password-shown';

/** Of a manager that serves. Throws what the API says. */
export async function managerFacts(given: {
  readonly client: KubeClient;
  /** Of its Secrets. */
  readonly namespace: string;
  /** Whether the manager has a CA of its own. */
  readonly ownCa: boolean;
  readonly signal: AbortSignal;
}): Promise<ManagerFacts> {
  const { client, namespace, ownCa, signal } = given;
  const [url, tls, first] = await Promise.all([
    client.get<Setting>({ apiVersion: 'rfo.io/v1alpha1', kind: 'Setting', name: 'server-url' }, { signal }),
    ownCa ? client.get<Secret>(secretIn(namespace, 'rfo-manager-tls'), { signal }) : undefined,
    client.get<Secret>(secretIn(namespace, administratorName), { signal }),
  ]);
  const ca = tls && readEntry(tls, 'ca.crt');
  return {
    address: url.spec.value,
    pin: ca && `sha256:${new X509Certificate(ca).fingerprint256.replaceAll(':', '').toLowerCase()}`,
    password: readEntry(first, 'password'),
    shown: isShown(first),
    namespace,
  };
}

/**
 * Notes that the password is shown, wherever the manager is started next. False where it was noted before, or there is none any more: of several
 * servers that ask at the same time one alone may show it. Throws what the API says.
 */
export async function claimPassword(given: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly now: Date;
  readonly signal: AbortSignal;
}): Promise<boolean> {
  const { client, namespace, now, signal } = given;
  const ref = secretIn(namespace, administratorName);
  for (;;) {
    const found = await client.get<Secret>(ref, { signal });
    if (isShown(found) || readEntry(found, 'password') === undefined) return false;
    const { resourceVersion } = found.metadata;
    const metadata = { resourceVersion, annotations: { [shownAnnotation]: now.toISOString() } };
    try {
      await client.patch(ref, { metadata }, { signal });
      return true;
    } catch (error) {
      // Somebody was quicker, with this or with something else.
      if (!isConflict(error)) throw error;
    }
  }
}

function isShown({ metadata }: Secret): boolean {
  return metadata.annotations?.[shownAnnotation] !== undefined;
}
