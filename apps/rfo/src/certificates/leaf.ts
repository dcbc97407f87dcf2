/** One leaf: kept while it is what it should be, else issued anew under the key that it has. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { RfoError } from '@rfo/foundation';
import {
  type AltName,
  type CertificateInfo,
  certificateInfos,
  decodeCertificate,
  decodeKey,
  encodeKey,
  encodePem,
  formatAltName,
  formatName,
  generateKey,
  hostNames,
  isSignedBy,
  issueCertificate,
  type Name,
  publicKeyBytes,
  type Usage,
} from '@rfo/pki';
import type { Authority } from './authority.ts';
import type { Outcome } from './ensured.ts';
import { validity } from './lifetime.ts';
import { dueReason } from './plan.ts';
import type { CertificateStore, Pair } from './store.ts';
import { type CertificateInputs, certificateTable, type LeafName, type LeafRow } from './table.ts';

export type LeafOptions = {
  readonly store: CertificateStore;
  readonly inputs: CertificateInputs;
  readonly authority: Authority;
  readonly now: number;
  readonly renewal: number;
  readonly lifetime: number;
};

/** Reads a leaf and says what is to be written (undefined: nothing). An unreadable leaf is no error: it is made anew. Throws alt-name-invalid. */
export function readLeaf(name: LeafName, options: LeafOptions): Outcome & { readonly write: Partial<Pair> | undefined } {
  const { store, inputs, authority, now, renewal, lifetime } = options;
  const row: LeafRow = certificateTable[name];
  const wanted: Wanted = { subject: row.subject(inputs), usages: row.usages, altNames: hostNames(row.hosts(inputs)), authority };
  const pair = store.read(name);
  const key = readable(() => pair.key && decodeKey(pair.key, name));
  const [found, ...chain] = readable(() => pair.certificate && certificateInfos(pair.certificate, name)) || [];
  const previous = found && { previous: found };
  const action = pair.certificate === undefined ? 'created' : 'regenerated';

  const issue = (signedKey: KeyObject): { current: CertificateInfo; certificate: string } => {
    const publicKey = publicKeyBytes(createPublicKey(signedKey));
    const { subject, usages, altNames } = wanted;
    const current = decodeCertificate(
      issueCertificate({ subject, publicKey, usages, altNames, ...validity(now, lifetime) }, authority.signer),
    );
    return { current, certificate: [current, ...authority.chain].map(({ der }) => encodePem('CERTIFICATE', der)).join('') };
  };
  if (!key) {
    const made = generateKey();
    const { current, certificate } = issue(made);
    const missing = found ? 'its key is missing' : 'there was none';
    const reason = pair.key === undefined ? missing : 'its key cannot be read';
    return { action, reason, current, ...previous, write: { key: encodeKey(made), certificate } };
  }
  if (!found) {
    const { current, certificate } = issue(key);
    return { action, reason: pair.certificate === undefined ? 'there was none' : 'it cannot be read', current, write: { certificate } };
  }
  const difference = differenceOf(found, { ...wanted, key, chain });
  const due = difference === undefined ? dueReason({ kind: 'leaf', ...found }, { now, renewal }) : undefined;
  const reason = difference ?? due;
  if (reason === undefined) return { action: 'kept', reason: 'valid', current: found, ...previous, write: undefined };
  const { current, certificate } = issue(key);
  return { action: difference === undefined ? 'renewed' : 'regenerated', reason, current, ...previous, write: { certificate } };
}

type Wanted = {
  readonly subject: Name;
  readonly usages: readonly Usage[];
  readonly altNames: readonly AltName[];
  readonly authority: Authority;
};

/** In what a certificate is not the wanted one; undefined when it is. */
function differenceOf(found: CertificateInfo, wanted: Wanted & { key: KeyObject; chain: readonly CertificateInfo[] }): string | undefined {
  const { signer, chain } = wanted.authority;
  const [was, is] = [formatName(found.subject), formatName(wanted.subject)];
  if (was !== is) return `its subject was ${was}`;
  const names = changes(found.altNames.map(formatAltName), wanted.altNames.map(formatAltName));
  if (names !== '') return `its names changed: ${names}`;
  const usages = changes(found.usages, wanted.usages);
  if (usages !== '') return `its usages changed: ${usages}`;
  if (!isSignedBy(found, signer.certificate)) return 'it is signed by another CA';
  if (!createPublicKey({ key: found.publicKey, format: 'der', type: 'spki' }).equals(createPublicKey(wanted.key)))
    return 'it is of another key';
  const sameChain = chain.length === wanted.chain.length && chain.every(({ der }, index) => wanted.chain[index]?.der.equals(der));
  return sameChain ? undefined : 'the CAs above its signer changed';
}

/** `+new -old`; the order of names means nothing. */
function changes(before: readonly string[], after: readonly string[]): string {
  const added = after.filter((name) => !before.includes(name)).map((name) => `+${name}`);
  const removed = before.filter((name) => !after.includes(name)).map((name) => `-${name}`);
  return [...added, ...removed].join(' ');
}

/** What `read` gives, undefined when it cannot be read. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RfoError) return undefined;
    throw error;
  }
}
