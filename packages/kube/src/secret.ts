/** Secrets: how the API names them, and their entries as text. In `data` those stand in base64. */
import type { KubeObject } from './object.ts';

export const secretKind = { apiVersion: 'v1', kind: 'Secret' } as const;

export type Secret = KubeObject & {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  /** Only in what is sent: plain text that the API server encodes. */
  readonly stringData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
};

/** One entry of a Secret as text. */
export function readEntry(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : decode(value);
}

/** All entries of a Secret as text. */
export function readEntries({ data = {} }: Secret): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decode(value)]));
}

/** Entries as they stand in `data`. */
export function renderEntries(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
}

function decode(value: string): string {
  return Buffer.from(value, 'base64').toString();
}
