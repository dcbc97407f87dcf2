// A certificate that an administrator keeps in files.
import { X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { fail, type Life, type Log } from '@rfo/foundation';
import type { ServingCertificate } from './certificate.ts';

/** Milliseconds of quiet in the folders before the files are read: a certificate and its key are written one after the other. */
const quiet = 200;

type Held = { readonly cert: string; readonly key: string; readonly ca: string | undefined };
type Files = { readonly cert: string; readonly key: string; readonly ca?: string | undefined };

/**
 * Reads the files, and reads them again whenever something in their folders changes, until the life ends. What does not fit together is told
 * in the log, and what was there before stays in use. Folders are watched, not files: Kubernetes and certbot replace links.
 * @throws manager-certificate-unusable
 */
export async function certificateFiles(options: {
  readonly files: Files;
  readonly life: Life;
  readonly log: Log;
}): Promise<ServingCertificate> {
  const { files, life, log } = options;
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let last: string | undefined;
  let current: Held | undefined;

  const reread = async (): Promise<void> => {
    try {
      const fresh = await read(files);
      const changed = fresh.cert !== current?.cert || fresh.key !== current.key || fresh.ca !== current.ca;
      last = undefined;
      if (!changed || life.signal.aborted) return;
      current = fresh;
      log.info('the certificate was read again', { file: files.cert });
      for (const listener of listeners) listener();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== last) log.error(message);
      last = message;
    }
  };
  const notice = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void reread(), quiet);
  };

  // Before the first reading: a change in between is then noticed.
  const folders = new Set([files.cert, files.key, ...(files.ca === undefined ? [] : [files.ca])].map((file) => dirname(file)));
  for (const folder of folders) {
    const watcher = watchFolder(folder, notice);
    watcher.on('error', (error) => log.error('the folder of the certificate cannot be watched any more', { folder, error }));
    life.defer(() => watcher.close());
  }
  life.defer(() => clearTimeout(timer));
  const first = await read(files);
  current ??= first;
  return {
    current: () => current ?? first,
    ca: () => (current ?? first).ca,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function watchFolder(folder: string, listener: () => void): FSWatcher {
  try {
    return watch(folder, { persistent: false }, listener);
  } catch (error) {
    throw fail('manager-certificate-unusable', { where: folder, problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

/** @throws manager-certificate-unusable */
async function read(files: Files): Promise<Held> {
  try {
    const [cert, key, ca] = await Promise.all([
      readFile(files.cert, 'utf8'),
      readFile(files.key, 'utf8'),
      files.ca === undefined ? undefined : readFile(files.ca, 'utf8'),
    ]);
    // OpenSSL judges all of it: every certificate of the chain, and whether the key is that of the first.
    createSecureContext({ cert, key, ...(ca !== undefined && { ca }) });
    const { validTo } = new X509Certificate(cert);
    if (Date.parse(validTo) < Date.now()) throw new Error(`it expired at ${new Date(validTo).toISOString()}`);
    return { cert, key, ca };
  } catch (error) {
    throw fail(
      'manager-certificate-unusable',
      { where: files.cert, problem: error instanceof Error ? error.message : String(error) },
      error,
    );
  }
}
