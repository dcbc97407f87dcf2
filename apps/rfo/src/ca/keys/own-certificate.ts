/** The certificates that a CA needs itself: one that signs OCSP answers, one for its port. Known to the database as all others. */
import { createPublicKey } from 'node:crypto';
import {
  altNamesExtension,
  authorityInfoExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  type CertificateInfo,
  crlPointsExtension,
  decodeCertificate,
  encodeKey,
  encodeMultiName,
  encodePem,
  extendedUsageExtension,
  generateKey,
  hostNames,
  identity,
  keyUsageExtension,
  ocspNoCheckExtension,
  publicKeyBytes,
  type RawExtension,
  sha1KeyId,
  signCertificate,
  subjectKeyIdExtension,
} from '@rfo/pki';
import { randomSerial } from '../signing/create-issuer.ts';
import { signedRecord } from '../store/signed-record.ts';
import type { CertificateRecord } from '../store/types.ts';
import type { Authority } from './authority.ts';
import { type StatusUrls, validityOf } from './make-authority.ts';

export type OwnCertificate = {
  readonly certificate: CertificateInfo;
  /** With a final newline. */
  readonly pem: string;
  readonly keyPem: string;
  readonly record: CertificateRecord;
};

const day = 86_400_000;
/** Milliseconds that each lasts; a third before the end it is renewed. */
const ownLifetimes = { ocsp: 30 * day, tls: 90 * day } as const;

/** Signs OCSP answers in the place of the CA. It is short-lived, as nobody can revoke it: clients do not ask about it (RFC 6960 §4.2.2.2.1). */
export async function issueResponder(authority: Authority, now: number): Promise<OwnCertificate> {
  const extensions = [extendedUsageExtension(['ocspSigning']), ocspNoCheckExtension()];
  return await issue(authority, { commonName: 'OCSP responder', lifetime: ownLifetimes.ocsp, now, extensions });
}

/**
 * For the port of the API.
 * @param hosts names and addresses by which clients call it; the first is its common name
 * @throws alt-name-invalid
 */
export async function issueTls(
  authority: Authority,
  { hosts, now, urls }: { readonly hosts: readonly [string, ...string[]]; readonly now: number; readonly urls: StatusUrls },
): Promise<OwnCertificate> {
  const names = hostNames(hosts);
  const extensions = [
    extendedUsageExtension(['serverAuth']),
    altNamesExtension(names),
    ...(urls.ocspUrl === '' ? [] : [authorityInfoExtension({ ocsp: [urls.ocspUrl] })]),
    ...(urls.crlUrl === '' ? [] : [crlPointsExtension([urls.crlUrl])]),
  ];
  return await issue(authority, { commonName: hosts[0].slice(0, 64), lifetime: ownLifetimes.tls, now, extensions });
}

type Wish = {
  readonly commonName: string;
  readonly lifetime: number;
  readonly now: number;
  readonly extensions: readonly RawExtension[];
};

async function issue(authority: Authority, { commonName, lifetime, now, extensions }: Wish): Promise<OwnCertificate> {
  const key = generateKey('P-256');
  const publicKey = publicKeyBytes(createPublicKey(key));
  const { notBefore, notAfter } = validityOf(now, lifetime);
  const der = await signCertificate(
    {
      serial: randomSerial(),
      subject: encodeMultiName(identity(commonName)),
      publicKey,
      notBefore,
      notAfter: Math.min(notAfter, authority.certificate.notAfter),
      extensions: [
        keyUsageExtension(['digitalSignature']),
        basicConstraintsExtension(undefined),
        subjectKeyIdExtension(sha1KeyId(publicKey)),
        authorityKeyIdExtension(authority.identity.keyId),
        ...extensions,
      ],
    },
    authority.identity,
  );
  const pem = encodePem('CERTIFICATE', der);
  const certificate = decodeCertificate(der);
  return { certificate, pem, keyPem: encodeKey(key, 'pkcs8'), record: recordOf(certificate, { authority, now }) };
}

/** What the database keeps of a certificate that this CA has just signed for itself. */
export function recordOf(
  certificate: CertificateInfo,
  { authority, now }: { readonly authority: Authority; readonly now: number },
): CertificateRecord {
  const { subject, altNames, notBefore, notAfter, der } = certificate;
  const serial = BigInt(`0x${certificate.serial}`).toString();
  const own = { authorityKeyId: authority.keyId, caLabel: '', metadata: { own: true } };
  return signedRecord({ ...own, serial, subject, altNames, notBefore, notAfter, pem: encodePem('CERTIFICATE', der) }, now);
}
