/** Secrets in the namespace of the manager, which only it and administrators of that cluster can read: what is known of passwords stands there. */
import type { KubeObject } from '@rfo/kube';

export const secretKind = { apiVersion: 'v1', kind: 'Secret' };

export type Secret = KubeObject & { readonly type?: string; readonly data?: Readonly<Record<string, string>> };

/** One entry of a Secret as text. */
export function readEntry(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
}

/** Entries as they stand in `data`. */
export function renderEntries(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}
