/** What a request comes to under a profile, before any rule of ours: subject, names, times and extensions as cfssl makes them. */
import type { CertificateInfo, CertificateSigningRequest, RawExtension } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import type { Profile } from '../config/types.ts';
import { inOrder, readHosts } from './hosts.ts';
import { overrideSubject } from './subject.ts';
import type { Draft, SignRequest } from './types.ts';

export type Prepared = {
  readonly draft: Draft;
  /** Taken over from the CSR, or asked for beside it. */
  readonly extensions: readonly RawExtension[];
};

type Signing = {
  readonly profile: Profile;
  readonly certificate: Pick<CertificateInfo, 'pathLength'>;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/**
 * In the order of cfssl's local signer, so that a request with two faults is refused for the same one. Throws CfsslError: 5300 for a CA that the
 * profile or the path length of this CA does not allow, 5500 for a name that is not on the whitelist, 1300 for an extension that is not allowed,
 * 5100 for a profile without usages.
 */
export function prepare(request: SignRequest, csr: CertificateSigningRequest, { profile, certificate, now }: Signing): Prepared {
  const allowed = allowedParts(csr, profile);
  if (allowed.ca !== undefined) checkCa(allowed.ca, profile, certificate);
  const names = request.hosts === null ? inOrder(allowed.altNames) : readHosts(request.hosts);
  const subject = overrideSubject(request.subject, allowed.subject);
  checkNames(profile, { subject, altNames: names });
  const asked = request.extensions ?? [];
  if (asked.some(({ oid }) => !profile.allowedExtensions.includes(oid))) throw new CfsslError(1300, 'Invalid certificate request');
  if (allowed.publicKey === undefined) throw new CfsslError(0, 'x509: unsupported public key type: <nil>', 500);
  if (profile.keyUsages.length + profile.usages.length === 0) throw new CfsslError(5100, 'Invalid policy: no key usage available');
  const draft: Draft = {
    profile: profile.name,
    subject,
    altNames: profile.ca === undefined ? names : names.filter(({ type }) => type === 'ip'),
    isCa: profile.ca !== undefined,
    usages: profile.usages,
    publicKey: allowed.publicKey,
    ...validity(profile, now),
  };
  return { draft, extensions: [...allowed.extensions, ...asked] };
}

type Allowed = Pick<CertificateSigningRequest, 'subject' | 'altNames' | 'ca' | 'extensions'> & { readonly publicKey: Buffer | undefined };

/** What the profile lets the CSR say; without a whitelist all of it. */
function allowedParts(csr: CertificateSigningRequest, { csrWhitelist, copyExtensions }: Profile): Allowed {
  if (csrWhitelist === undefined) return { ...csr, extensions: csr.extensions.filter(({ oid }) => isTakenOver(oid, copyExtensions)) };
  return {
    subject: csrWhitelist.has('Subject') ? csr.subject : [],
    altNames: csr.altNames.filter(({ type }) => csrWhitelist.has(altNameFields[type])),
    publicKey: csrWhitelist.has('PublicKey') ? csr.publicKey : undefined,
    ca: undefined,
    extensions: [],
  };
}

const altNameFields = { dns: 'DNSNames', ip: 'IPAddresses', email: 'EmailAddresses', uri: 'URIs' } as const;

/**
 * Delegated credentials (RFC 9345) always, all others where the profile copies. Never those that say who the certificate is for and whether it is a
 * CA: what rules have looked at is what is signed.
 */
function isTakenOver(oid: string, copyExtensions: boolean): boolean {
  return oid === delegationUsage || (copyExtensions && !own.has(oid));
}

export const delegationUsage = '1.3.6.1.4.1.44363.44';
/** Alternative names, basic constraints, key ids. */
const own: ReadonlySet<string> = new Set(['2.5.29.17', '2.5.29.19', '2.5.29.14', '2.5.29.35']);

/** A leaf's CSR is made a CA by a profile for CAs; only one that asks to be a CA is held to the path length of this one. */
function checkCa(asked: { readonly pathLength?: number }, profile: Profile, certificate: Signing['certificate']): void {
  const violation = new CfsslError(5300, 'Policy violation request');
  if (profile.ca === undefined) throw violation;
  if (certificate.pathLength === undefined) return;
  if (certificate.pathLength === 0 || (asked.pathLength ?? -1) >= certificate.pathLength) throw violation;
}

/** Neither IP addresses nor organizations are looked at, as in cfssl; organizations are what our own rules are for. */
function checkNames({ nameWhitelist }: Profile, { subject, altNames }: Pick<Draft, 'subject' | 'altNames'>): void {
  if (nameWhitelist === undefined) return;
  const commonNames = subject.filter(({ type, value }) => type === 'CN' && value !== '');
  const named = altNames.filter(({ type }) => type !== 'ip');
  if ([...commonNames, ...named].some(({ value }) => !nameWhitelist.test(value)))
    throw new CfsslError(5500, 'Request does not match policy whitelist');
}

/** A little before the last full minute, so that hosts with slow clocks can use it at once. */
function validity({ notBefore, notAfter, backdate, expiry }: Profile, now: number): Pick<Draft, 'notBefore' | 'notAfter'> {
  const start = notBefore ?? Math.round(now / minute) * minute - backdate;
  return { notBefore: start, notAfter: notAfter ?? start + expiry };
}

const minute = 60_000;
