/** One certificate of a node: what is wrong with the one on the disk, and whether the one that a server gave is what was asked for. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { fail, RfoError } from '@rfo/foundation';
import {
  type AltName,
  type CertificateInfo,
  certificateInfos,
  createSigningRequest,
  decodeKey,
  findChain,
  formatAltName,
  formatName,
  hostNames,
  isSignedBy,
  type Name,
  type Usage,
} from '@rfo/pki';
import { dueReason } from '../certificates/plan.ts';
import type { CertificateStore } from '../certificates/store.ts';
import { type CertificateInputs, certificateTable, type LeafRow } from '../certificates/table.ts';
import type { NodeCertificateName } from '../supervisor/api.ts';

export type Wanted = { readonly subject: Name; readonly usages: readonly Usage[]; readonly altNames: readonly AltName[] };

/** What the table says of a leaf on this node. Throws alt-name-invalid. */
export function wantedLeaf(name: NodeCertificateName, node: { readonly nodeName: string; readonly nodeIps: readonly string[] }): Wanted {
  const row: LeafRow = certificateTable[name];
  // Only the names of the node are in a node's certificates; the rest of the inputs is a server's.
  const inputs: CertificateInputs = { ...node, serviceIps: [], clusterDomain: '', tlsSans: [], advertiseAddress: '' };
  return { subject: row.subject(inputs), usages: row.usages, altNames: hostNames(row.hosts(inputs)) };
}

export type FoundLeaf = {
  readonly key: KeyObject | undefined;
  readonly found: CertificateInfo | undefined;
  /** Why it cannot be used at all. */
  readonly broken: string | undefined;
  /** Why it is usable for a while, yet has to be replaced. */
  readonly outdated: string | undefined;
};

/** What lies on the disk. An unreadable file is no error: a key or a certificate in its place is made anew. */
export function findLeaf(
  name: NodeCertificateName,
  at: {
    readonly store: CertificateStore;
    readonly wanted: Wanted;
    readonly authority: readonly CertificateInfo[];
    readonly now: number;
    readonly renewal: number;
  },
): FoundLeaf {
  const { store, wanted, authority, now, renewal } = at;
  const pair = store.read(name);
  const key = readable(() => pair.key && decodeKey(pair.key, name)) || undefined;
  const [found, ...chain] = readable(() => pair.certificate && certificateInfos(pair.certificate, name)) || [];
  const broken = (why: string): FoundLeaf => ({ key, found, broken: why, outdated: undefined });
  if (pair.certificate === undefined) return broken('there was none');
  if (!found) return broken('it cannot be read');
  if (!key) return broken(pair.key === undefined ? 'its key is missing' : 'its key cannot be read');
  const difference = differenceOf(found, { ...wanted, key });
  if (difference !== undefined) return broken(difference);
  if (!authority.some((signer) => isSignedBy(found, signer))) return broken('it is signed by another CA');
  const due = dueReason({ kind: 'leaf', ...found }, { now, renewal });
  if (due !== undefined && (now >= found.notAfter || now < found.notBefore)) return broken(due);
  const foreign = chain.some(({ der }) => !authority.some((signer) => signer.der.equals(der)));
  const outdated = missingNames(found, wanted) ?? due ?? (foreign ? 'the CAs above its signer changed' : undefined);
  return { key, found, broken: undefined, outdated };
}

/** DER of what a server is asked to sign. Names and usages are a wish: the server goes by who asks. */
export function requestLeaf(wanted: Wanted, key: KeyObject): Buffer {
  return createSigningRequest(wanted, key);
}

/**
 * Checks what a server gave before it replaces anything.
 * @throws server-answer-invalid, certificate-untrusted
 */
export function checkIssued(
  name: NodeCertificateName,
  answer: {
    readonly pem: string;
    readonly wanted: Wanted;
    readonly key: KeyObject;
    readonly authority: readonly CertificateInfo[];
    readonly now: number;
  },
): CertificateInfo {
  const { pem, wanted, key, authority, now } = answer;
  const invalid = (problem: string, cause?: unknown): Error =>
    fail('server-answer-invalid', { server: 'the server', what: `the certificate ${name}`, problem }, cause);
  const [issued, ...chain] = readable(() => certificateInfos(pem, name)) ?? [];
  if (issued === undefined) throw invalid('it is no certificate in PEM');
  const difference = differenceOf(issued, { ...wanted, key }) ?? missingNames(issued, wanted);
  if (difference !== undefined) throw invalid(difference);
  findChain(issued, { intermediates: [...chain, ...authority], roots: authority, now });
  return issued;
}

/** In what a certificate is not this node's own; undefined when it is. */
function differenceOf(found: CertificateInfo, wanted: Wanted & { readonly key: KeyObject }): string | undefined {
  const [is, wish] = [formatName(found.subject), formatName(wanted.subject)];
  if (is !== wish) return `its subject is ${is}`;
  const usages = wanted.usages.filter((usage) => !found.usages.includes(usage));
  if (usages.length > 0) return `it is not for ${usages.join(', ')}`;
  const ofKey = createPublicKey({ key: found.publicKey, format: 'der', type: 'spki' }).equals(createPublicKey(wanted.key));
  return ofKey ? undefined : 'it is of another key';
}

/** A name too many does no harm, and a newer server may know of one more: only missing ones count, else such a node would never stop asking. */
function missingNames(found: CertificateInfo, { altNames }: Wanted): string | undefined {
  const has = new Set(found.altNames.map(formatAltName));
  const missing = altNames.map(formatAltName).filter((name) => !has.has(name));
  return missing.length === 0 ? undefined : `names are missing in it: ${missing.join(' ')}`;
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
