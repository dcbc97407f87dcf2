/** Who signs OCSP answers: a certificate that the CA issued for it, taken anew whenever its file changes, or the CA itself. */

import { createPublicKey } from 'node:crypto';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Clock, fail, type Life, type Log } from '@rfo/foundation';
import { type CertificateInfo, certificateInfo, decodeKey, isSignedBy, memoryKey, publicKeyBytes } from '@rfo/pki';
import type { Responder, ResponderFiles, StatusAuthority } from './types.ts';

export type ResponderInputs = {
  readonly authority: StatusAuthority;
  readonly clock: Clock;
  readonly log: Log;
  readonly life: Life;
  /** Called when answers of the former one should not be given any more. */
  readonly changed: () => void;
};

/**
 * Gives a function that tells who signs at the moment of its call. Where files are named they must be good at the start; later a pair that is not
 * (half replaced, wrong) is told in the log, and the former one stays. When that one's time is over the CA signs itself, with an error in the log.
 * @throws ocsp-responder-unusable, certificate-unreadable, key-unreadable
 */
export async function keepResponder({ authority, clock, log, life, changed }: ResponderInputs): Promise<() => Responder> {
  const own: Responder = { key: authority.identity.key, delegated: false, notAfter: authority.certificate.notAfter };
  const { responder: files } = authority;
  if (files === undefined) return () => own;

  let present = await loadResponder(files, authority, clock);
  let overdue = false;
  const reload = async (): Promise<void> => {
    try {
      const next = await loadResponder(files, authority, clock);
      if (
        next.certificate !== undefined &&
        present.certificate !== undefined &&
        Buffer.compare(next.certificate, present.certificate) === 0
      )
        return;
      present = next;
      overdue = false;
      log.info('a new certificate signs OCSP answers', { file: files.certificate, until: new Date(next.notAfter).toISOString() });
      changed();
    } catch (error) {
      log.warn('the certificate for OCSP answers was replaced by one that cannot be used; the former stays', { error });
    }
  };
  watchFiles(files, { life, log, changed: reload });

  return () => {
    if (clock.now() < present.notAfter) return present;
    if (!overdue) {
      overdue = true;
      log.error('the certificate for OCSP answers has expired; the CA signs them itself until it is renewed', { file: files.certificate });
    }
    return own;
  };
}

/**
 * Reads and checks both files (RFC 6960 §4.2.2.2): the CA itself issued the certificate, for OCSP signing, it is valid now, and the key is its own.
 * The CA's own certificate will do as well.
 * @throws ocsp-responder-unusable, certificate-unreadable, key-unreadable
 */
export async function loadResponder(files: ResponderFiles, { certificate: ca }: StatusAuthority, clock: Clock): Promise<Responder> {
  const [certificateText, keyText] = await Promise.all([read(files.certificate), read(files.key)]);
  const certificate = certificateInfo(certificateText, files.certificate);
  const key = decodeKey(keyText, files.key);
  const delegated = !certificate.der.equals(ca.der);
  const problem = problemOf(certificate, { ca, delegated, now: clock.now() });
  if (problem !== undefined) throw fail('ocsp-responder-unusable', { file: files.certificate, problem });
  if (!publicKeyBytes(createPublicKey(key)).equals(certificate.publicKey))
    throw fail('ocsp-responder-unusable', { file: files.certificate, problem: `${files.key} is not its key` });
  const signer = { key: memoryKey(key), notAfter: certificate.notAfter, delegated };
  return delegated ? { ...signer, certificate: certificate.der } : signer;
}

type Against = { readonly ca: CertificateInfo; readonly delegated: boolean; readonly now: number };

function problemOf(certificate: CertificateInfo, { ca, delegated, now }: Against): string | undefined {
  const { notBefore, notAfter, usages, keyUsages } = certificate;
  if (now < notBefore) return `it is valid only from ${new Date(notBefore).toISOString()}`;
  if (now >= notAfter) return `it expired at ${new Date(notAfter).toISOString()}`;
  if (!delegated) return undefined;
  if (!isSignedBy(certificate, ca)) return 'the CA that it answers for has not signed it';
  if (!usages.includes('ocspSigning')) return 'it is not for OCSP signing (extended key usage)';
  if (keyUsages.length > 0 && !keyUsages.includes('digitalSignature')) return 'its key may not sign (key usage)';
  return undefined;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw fail('ocsp-responder-unusable', { file, problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

/** Folders are watched, because a file that is replaced by renaming another onto it takes a watch of its own with it. */
function watchFiles(files: ResponderFiles, on: { readonly life: Life; readonly log: Log; readonly changed: () => Promise<void> }): void {
  const names = new Set([basename(files.certificate), basename(files.key)]);
  let timer: NodeJS.Timeout | undefined;
  on.life.defer(() => clearTimeout(timer));
  for (const folder of new Set([dirname(files.certificate), dirname(files.key)])) {
    const watcher = watch(folder, { persistent: false, signal: on.life.signal }, (_, name) => {
      if (name !== null && !names.has(name)) return;
      clearTimeout(timer);
      timer = setTimeout(() => void on.changed(), settleMs);
      timer.unref();
    });
    watcher.on('error', (error) => on.log.warn('cannot watch for a new certificate for OCSP answers', { folder, error }));
  }
}

/** Certificate and key are two files: whoever replaces both is given the time for it. */
const settleMs = 50;
