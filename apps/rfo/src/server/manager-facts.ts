/** What a server can tell of the manager that runs on it, read from where the manager keeps it. */
import { X509Certificate } from 'node:crypto';
import type { KubeClient, KubeObject } from '@rfo/kube';

export type ManagerFacts = {
  /** As people and other clusters know it. */
  readonly address: string;
  /** Of its CA, `sha256:…`; undefined where it has a certificate of the administrator's. */
  readonly pin: string | undefined;
  /** The one that the administrator signs in with for the first time, while it is unchanged. */
  readonly password: string | undefined;
  /** That password was shown before. */
  readonly shown: boolean;
};

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };
type Setting = KubeObject & { readonly spec: { readonly value: string } };

const secretIn = (namespace: string, name: string) => ({ apiVersion: 'v1', kind: 'Secret', namespace, name });
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
  const ca = entryOf(tls, 'ca.crt');
  return {
    address: url.spec.value,
    pin: ca && `sha256:${new X509Certificate(ca).fingerprint256.replaceAll(':', '').toLowerCase()}`,
    password: entryOf(first, 'password'),
    shown: first.metadata.annotations?.[shownAnnotation] !== undefined,
  };
}

/** From now on the password is not shown again, wherever the manager is started next. Throws what the API says. */
export async function markShown(given: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly now: Date;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, namespace, now, signal } = given;
  const metadata = { annotations: { [shownAnnotation]: now.toISOString() } };
  await client.patch(secretIn(namespace, administratorName), { metadata }, { signal });
}

function entryOf(object: Secret | undefined, key: string): string | undefined {
  const text = object?.data?.[key];
  return text === undefined ? undefined : Buffer.from(text, 'base64').toString();
}
