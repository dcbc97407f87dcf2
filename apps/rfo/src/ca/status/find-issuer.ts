/** Recognises the CA that an OCSP request means: clients call it by hashes of its name and key, in an algorithm of their choice. */
import { hashIssuer, type OcspCertificateId, ocspHashes } from '@rfo/pki';
import type { StatusAuthority } from './types.ts';

/** A certificate as it was asked for; without `known` it is of no CA that is answered for. */
export type Asked<A extends StatusAuthority> = {
  readonly id: OcspCertificateId;
  readonly known: { readonly authority: A /** Key of the certificate in caches. */; readonly certificate: string } | undefined;
};

export function createIssuerIndex<A extends StatusAuthority>(authorities: readonly A[]): (id: OcspCertificateId) => Asked<A> {
  const index = new Map<string, A>();
  for (const authority of authorities) {
    const { rawSubject: name, publicKey } = authority.certificate;
    for (const hash of ocspHashes) index.set(issuerKey({ hash, ...hashIssuer({ name, publicKey }, hash) }), authority);
  }
  return (id) => {
    const authority = index.get(issuerKey(id));
    if (authority === undefined) return { id, known: undefined };
    return { id, known: { authority, certificate: certificateKey(id.serial.toString(), authority.identity.keyId.toString('hex')) } };
  };
}

/** @param serial decimal */
export function certificateKey(serial: string, authorityKeyId: string): string {
  return `${serial}@${authorityKeyId}`;
}

export function splitCertificateKey(key: string): { readonly serial: string; readonly authorityKeyId: string } {
  const [serial = '', authorityKeyId = ''] = key.split('@');
  return { serial, authorityKeyId };
}

function issuerKey({ hash, nameHash, keyHash }: Pick<OcspCertificateId, 'hash' | 'nameHash' | 'keyHash'>): string {
  return `${hash} ${nameHash.toString('latin1')} ${keyHash.toString('latin1')}`;
}
