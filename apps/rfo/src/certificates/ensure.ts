/** Sees to it that every certificate of the table is there, valid and as the configuration wants it. */
import { type Clock, fail } from '@rfo/foundation';
import { type CertificateInfo, decodeKey, encodeKey, formatName, generateKey } from '@rfo/pki';
import type { Paths } from '../paths.ts';
import { type Authority, readAuthority } from './authority.ts';
import type { Ensured, EnsuredCertificate, EnsuredKey, Outcome } from './ensured.ts';
import { readLeaf } from './leaf.ts';
import { defaultLeafLifetime, defaultRenewal } from './lifetime.ts';
import { CertificateStore } from './store.ts';
import {
  type AuthorityName,
  authorityNames,
  type CertificateInputs,
  type CertificateName,
  certificateNames,
  certificateTable,
  leafNames,
  serviceKey,
  type Use,
} from './table.ts';
import { usagesOf } from './usages.ts';

export type EnsureOptions = {
  readonly paths: Paths;
  readonly inputs: CertificateInputs;
  readonly clock: Clock;
  /** Share of its life that a leaf has left when it is renewed; a third. */
  readonly renewal?: number;
  /** Life of new leaves in milliseconds; a year. */
  readonly leafLifetime?: number;
};

/**
 * Makes what is missing, renews what has expired or soon will, and issues anew what no longer fits: another subject, other names or usages,
 * another signer, another key. Keys stay. CAs and the service account key are on the disk for good when it resolves.
 * Throws authority-unusable, certificate-unreadable and key-unreadable for a CA's files, alt-name-invalid, certificate-unwritable.
 */
export async function ensureCertificates(options: EnsureOptions): Promise<Ensured> {
  const { paths, inputs, clock, renewal = defaultRenewal, leafLifetime: lifetime = defaultLeafLifetime } = options;
  const now = clock.now();
  const store = new CertificateStore(paths.server.tls);
  store.makeFolders([...certificateNames, serviceKey.name]);

  const authorities = authorityNames.map((name) => [name, readAuthority(name, { store, now })] as const);
  const service = readServiceKey(store);
  const writes = [...authorities.map(([name, { write }]) => write && store.writeDurable(name, write)), service.write];
  const byName = new Map<string, Authority>(authorities);
  try {
    const leaves = leafNames.map((name) => {
      const authority = authorityOf(byName, certificateTable[name].signer);
      const { write, ...outcome } = readLeaf(name, { store, inputs, authority, now, renewal, lifetime });
      if (write !== undefined) store.write(name, write);
      return [name, outcome] as const;
    });
    const certificates = [...authorities, ...leaves].map(([name, outcome]) => describe(name, outcome, { store, now }));
    return { certificates, serviceKey: service.item };
  } finally {
    await Promise.all(writes);
  }
}

/** The key of service account tokens; a file of several keys (old ones still verify) is taken as it is. */
function readServiceKey(store: CertificateStore): { item: EnsuredKey; write: Promise<void> | undefined } {
  const { name, usedBy } = serviceKey;
  const { key } = store.read(name);
  if (key === undefined) {
    const write = store.writeDurable(name, { key: encodeKey(generateKey()) });
    return { item: { name, action: 'created', reason: 'there was none', usedBy }, write };
  }
  decodeKey(key, store.keyFile(name));
  return { item: { name, action: 'kept', reason: 'readable', usedBy }, write: undefined };
}

function authorityOf(authorities: ReadonlyMap<string, Authority>, name: AuthorityName): Authority {
  const authority = authorities.get(name);
  if (authority === undefined) throw fail('internal', { what: `no CA is called ${name}` });
  return authority;
}

function describe(name: CertificateName, outcome: Outcome, at: { store: CertificateStore; now: number }): EnsuredCertificate {
  const { kind, usedBy } = certificateTable[name];
  const { action, reason, current, previous } = outcome;
  return {
    name,
    kind,
    file: at.store.certificateFile(name),
    subject: formatName(current.subject),
    usages: usagesOf(current),
    notBefore: current.notBefore,
    notAfter: current.notAfter,
    action,
    reason,
    usedBy: action === 'kept' ? usedBy : usedBy.map((use) => inTime(use, { previous, now: at.now })),
  };
}

/** A component that would notice too late, when the old certificate has ended already, is restarted instead; one that reads at each handshake is never late. */
function inTime(use: Use, at: { previous: CertificateInfo | undefined; now: number }): Use {
  const late =
    use.takes === 'hot' && use.withinSeconds > 0 && at.previous !== undefined && at.previous.notAfter < at.now + use.withinSeconds * 1000;
  return late ? { ...use, takes: 'restart' } : use;
}
