/** Certificates found by their subject: trusted roots, known intermediates. */
import type { CertificateInfo } from '@rfo/pki';
import { isSame, type Link, makeLink } from './link.ts';

export type Pool = {
  readonly add: (certificate: CertificateInfo) => void;
  readonly has: (link: Link) => boolean;
  /** Those that may have signed it, the one that its key identifier names first (the order in which Go tries them). */
  readonly signersOf: (link: Link) => readonly Link[];
  readonly size: () => number;
};

export function createPool(certificates: readonly CertificateInfo[] = []): Pool {
  const bySubject = new Map<string, Link[]>();
  let size = 0;
  const at = (name: Buffer): Link[] => bySubject.get(name.toString('latin1')) ?? [];
  const has = (link: Link): boolean => at(link.certificate.rawSubject).some((known) => isSame(known, link));
  const add = (certificate: CertificateInfo): void => {
    const link = makeLink(certificate);
    if (has(link)) return;
    bySubject.set(certificate.rawSubject.toString('latin1'), [...at(certificate.rawSubject), link]);
    size++;
  };
  for (const certificate of certificates) add(certificate);
  return {
    add,
    has,
    signersOf: (link) => at(link.certificate.rawIssuer).toSorted((one, other) => keyRank(link, one) - keyRank(link, other)),
    size: () => size,
  };
}

function keyRank(link: Link, signer: Link): number {
  const wanted = link.certificate.authorityKeyId;
  const own = signer.certificate.subjectKeyId;
  if (wanted === undefined || own === undefined) return 1;
  return wanted.equals(own) ? 0 : 2;
}
