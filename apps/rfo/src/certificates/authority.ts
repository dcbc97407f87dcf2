/** One CA: kept as it is, made where there is none, prolonged with the same key when it has ended. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { fail } from '@rfo/foundation';
import {
  type CertificateInfo,
  certificateInfos,
  decodeCertificate,
  decodeKey,
  encodeKey,
  encodePem,
  generateKey,
  identity,
  isSelfSigned,
  issueSelfSigned,
  publicKeyBytes,
  type Signer,
} from '@rfo/pki';
import type { Outcome } from './ensured.ts';
import { authorityLifetime, validity } from './lifetime.ts';
import { dueReason } from './plan.ts';
import type { CertificateStore, Pair } from './store.ts';
import { type AuthorityName, certificateTable } from './table.ts';

/** `chain`: what a leaf has to carry so that it leads to a root: all of the CA's file but roots. `write` is undefined when nothing changed. */
export type Authority = Outcome & {
  readonly signer: Signer;
  readonly chain: readonly CertificateInfo[];
  readonly write: Partial<Pair> | undefined;
};

/**
 * Reads a CA and says what is to be written. A user's own CA (an intermediate with its chain in one file, or a root) is taken as it is.
 * A new CA is never made in place of a broken one: whoever trusts the old one would be cut off without a word.
 * Throws authority-unusable, certificate-unreadable, key-unreadable.
 */
export function readAuthority(name: AuthorityName, at: { readonly store: CertificateStore; readonly now: number }): Authority {
  const { store, now } = at;
  const { key: keyText, certificate: bundle } = store.read(name);
  const keyFile = store.keyFile(name);
  const file = store.certificateFile(name);
  if (bundle === undefined) {
    const key = keyText === undefined ? generateKey() : decodeKey(keyText, keyFile);
    const made = selfSigned(key, { subject: identity(`${certificateTable[name].commonName}@${Math.floor(now / 1000)}`), now });
    const write = { certificate: pemOf([made]), ...(keyText === undefined && { key: encodeKey(key) }) };
    return { signer: { certificate: made, key }, chain: [], write, action: 'created', reason: 'there was none', current: made };
  }
  if (keyText === undefined) throw unusable(file, `its key ${keyFile} is missing`, restoreCure);
  const key = decodeKey(keyText, keyFile);
  const [certificate, ...rest] = certificateInfos(bundle, file);
  if (certificate === undefined) throw unusable(file, 'it holds no certificate', restoreCure);
  check(certificate, { key, file, keyFile });

  const chain = [certificate, ...rest].filter(({ rawIssuer, rawSubject }) => !rawIssuer.equals(rawSubject));
  const reason = dueReason({ kind: 'authority', ...certificate }, { now, renewal: 0 });
  if (reason === undefined) {
    return {
      signer: { certificate, key },
      chain,
      write: undefined,
      action: 'kept',
      reason: 'valid',
      current: certificate,
      previous: certificate,
    };
  }
  if (!isSelfSigned(certificate)) throw unusable(file, reason, 'Let its own CA issue it anew, and put it there');
  const renewed = selfSigned(key, { subject: certificate.rawSubject, now });
  const write = { certificate: pemOf([renewed, ...rest]) };
  return { signer: { certificate: renewed, key }, chain, write, action: 'renewed', reason, current: renewed, previous: certificate };
}

const restoreCure =
  'Put the right file back from a copy; only if there is none, remove both to have a new CA made, which every node and kubeconfig must then be given';

function check(certificate: CertificateInfo, from: { key: KeyObject; file: string; keyFile: string }): void {
  const own = createPublicKey({ key: certificate.publicKey, format: 'der', type: 'spki' });
  if (!createPublicKey(from.key).equals(own)) throw unusable(from.file, `${from.keyFile} is the key of another one`, restoreCure);
  if (!certificate.ca)
    throw unusable(from.file, 'its first certificate is not that of a CA', 'Put the signing CA first, then those above it');
}

/** The same subject and key as before make a CA that what it signed earlier still leads to. */
function selfSigned(key: KeyObject, as: { subject: CertificateInfo['subject'] | Buffer; now: number }): CertificateInfo {
  const publicKey = publicKeyBytes(createPublicKey(key));
  return decodeCertificate(issueSelfSigned({ subject: as.subject, publicKey, ...validity(as.now, authorityLifetime), ca: {} }, key));
}

function pemOf(certificates: readonly CertificateInfo[]): string {
  return certificates.map(({ der }) => encodePem('CERTIFICATE', der)).join('');
}

function unusable(file: string, problem: string, cure: string): Error {
  return fail('authority-unusable', { file, problem, cure });
}
