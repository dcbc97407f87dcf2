/** A bundle as the API gives it: keys in the order of the alphabet, as Go writes a map. */
import type { KeyObject } from 'node:crypto';
import { type CertificateInfo, certificateUrls, encodeKey, encodePem, type Name } from '@rfo/pki';
import { formatTime } from '../certinfo/describe-certificate.ts';
import { signatureName } from '../certinfo/signature-name.ts';
import type { BundleStatus } from './bundle-status.ts';
import type { Bundle } from './bundler.ts';
import type { Link } from './link.ts';
import { endOf } from './rank-chains.ts';

export type RenderedBundle = {
  /** PEM without a newline at its end, as all of the PEM here. */
  readonly bundle: string;
  readonly crl_support: boolean;
  readonly crt: string;
  /** When the first certificate of the bundle ends: RFC 3339. */
  readonly expires: string;
  /** Common name and DNS names. */
  readonly hostnames: readonly string[];
  /** `/Country=SE/CommonName=…` */
  readonly issuer: string;
  readonly key: string;
  readonly key_size: number;
  readonly key_type: string;
  readonly leaf_expires: string;
  readonly ocsp: readonly string[] | null;
  readonly ocsp_support: boolean;
  readonly root: string;
  readonly signature: string;
  readonly status: BundleStatus;
  readonly subject: string;
};

export function renderBundle({ leaf, chain, root, key, status }: Bundle): RenderedBundle {
  const { certificate } = leaf;
  const { ocsp, crlPoints } = certificateUrls(certificate);
  return {
    bundle: chain.map(pemOf).join('\n'),
    crl_support: crlPoints,
    crt: pemOf(leaf),
    expires: formatTime(endOf(chain)),
    hostnames: hostNamesOf(certificate),
    issuer: slashes(certificate.issuer),
    key: key === undefined ? '' : keyPem(key),
    ...keyOf(leaf),
    leaf_expires: formatTime(certificate.notAfter),
    ocsp: ocsp.length > 0 ? ocsp : null,
    ocsp_support: ocsp.length > 0,
    root: root === undefined ? '' : pemOf(root),
    signature: signatureName(certificate),
    status,
    subject: slashes(certificate.subject),
  };
}

function pemOf({ certificate }: Link): string {
  return encodePem('CERTIFICATE', certificate.der).trim();
}

/** Of Ed25519 under a label that only cfssl knows, around what everybody else calls a PRIVATE KEY. */
function keyPem(key: KeyObject): string {
  if (key.asymmetricKeyType !== 'ed25519') return encodeKey(key).trim();
  return encodePem('Ed25519 PRIVATE KEY', key.export({ type: 'pkcs8', format: 'der' })).trim();
}

function hostNamesOf({ subject, altNames }: CertificateInfo): readonly string[] {
  const commonName = subject.findLast(({ type }) => type === 'CN')?.value ?? '';
  const names = [commonName, ...altNames.filter(({ type }) => type === 'dns').map(({ value }) => value)];
  return [...new Set(names.filter((name) => name !== ''))];
}

function keyOf({ x509: { publicKey } }: Link): { readonly key_size: number; readonly key_type: string } {
  const { modulusLength = 0, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType === 'ed25519') return { key_size: 0, key_type: 'Ed25519' };
  if (publicKey.asymmetricKeyType === 'rsa') return { key_size: modulusLength, key_type: `${modulusLength}-bit RSA` };
  const size = { prime256v1: 256, secp384r1: 384, secp521r1: 521 }[namedCurve] ?? 0;
  return { key_size: size, key_type: size > 0 ? `${size}-bit ECDSA` : 'Unknown' };
}

const longNames: Readonly<Record<string, string>> = {
  CN: 'CommonName',
  serialNumber: 'SerialNumber',
  C: 'Country',
  L: 'Locality',
  ST: 'Province',
  STREET: 'StreetAddress',
  O: 'Organization',
  OU: 'OrganizationalUnit',
  postalCode: 'PostalCode',
};

/** Types that cfssl has no name for stand there without one. */
function slashes(name: Name): string {
  return name.map(({ type, value }) => `/${longNames[type] ?? ''}=${value}`).join('');
}
