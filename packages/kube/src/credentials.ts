import { readFileSync, statSync } from 'node:fs';
import { fail } from '@rfo/foundation';

/** PEM or a token: in a file that may be renewed at any time, or as it is. */
export type Source = { readonly file: string } | { readonly data: string };

export type CredentialSources = {
  /** CA of the server's certificate; without it, those that Node trusts. */
  readonly ca?: Source | undefined;
  readonly cert?: Source | undefined;
  readonly key?: Source | undefined;
  readonly token?: Source | undefined;
};

export type Credentials = { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly token?: string };

export type CredentialReader = {
  /** The same object until a file changes. Looks at the files at most once a second, or at once when `now` is true. */
  readonly current: (options?: { readonly now?: boolean }) => Credentials;
};

const lookEvery = 1000;

/**
 * Reads credentials and reads them again when a file changes: certificates renew while the program runs.
 * The files are looked at when a request is made, so nothing has to be stopped and no file has to be watched (3 × 4 µs a second).
 */
export function createCredentialReader(sources: CredentialSources): CredentialReader {
  let read: { readonly credentials: Credentials; readonly stamp: string; lookedAt: number } | undefined;
  return {
    current: ({ now = false } = {}) => {
      const time = performance.now();
      if (read !== undefined && !now && time - read.lookedAt < lookEvery) return read.credentials;
      const stamp = stampOf(sources);
      if (read === undefined || read.stamp !== stamp) {
        const credentials = readAll(sources);
        // A certificate and its key are two files: a renewal between the two reads shows in the stamp of the next look.
        read = { credentials, stamp, lookedAt: time };
      }
      read.lookedAt = time;
      return read.credentials;
    },
  };
}

/** Changes when any of the files was written or replaced. */
function stampOf({ ca, cert, key, token }: CredentialSources): string {
  return [ca, cert, key, token]
    .map((source) => {
      if (source === undefined || 'data' in source) return '';
      const { mtimeNs, ino, size } = readable(source.file, (file) => statSync(file, { bigint: true }));
      return `${mtimeNs}:${ino}:${size}`;
    })
    .join(' ');
}

function readAll(sources: CredentialSources): Credentials {
  const text = (source: Source): string => ('data' in source ? source.data : readable(source.file, (file) => readFileSync(file, 'utf8')));
  return {
    ...(sources.ca && { ca: text(sources.ca) }),
    ...(sources.cert && { cert: text(sources.cert) }),
    ...(sources.key && { key: text(sources.key) }),
    ...(sources.token && { token: text(sources.token).trim() }),
  };
}

function readable<T>(file: string, read: (file: string) => T): T {
  try {
    return read(file);
  } catch (error) {
    throw fail('kube-credentials', { file, problem: error instanceof Error ? error.message : String(error) }, error);
  }
}
