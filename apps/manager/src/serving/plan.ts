// Decides what the manager's own CA and certificate have to be. Nothing here reads or writes anything.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { fail, RfoError } from '@rfo/foundation';
import {
  type CertificateInfo,
  certificateInfo,
  decodeCertificate,
  decodeKey,
  encodeKey,
  encodePem,
  formatAltName,
  generateKey,
  hostNames,
  identity,
  isSignedBy,
  issueCertificate,
  issueSelfSigned,
  publicKeyBytes,
  type Signer,
} from '@rfo/pki';

/** What a Secret of the type kubernetes.io/tls would hold, and the CA's key, all in PEM. */
export type ServingPems = { readonly 'ca.crt': string; readonly 'ca.key': string; readonly 'tls.crt': string; readonly 'tls.key': string };

export type ServingPlan = {
  readonly pems: ServingPems;
  /** Why they are to be written; undefined: they are what is held already. */
  readonly reason: string | undefined;
  /** When it has to be looked at again, ms since 1970. */
  readonly next: number;
};

const day = 86_400_000;
const authorityLifetime = 3650 * day;
const leafLifetime = 90 * day;
/** Shares of their lives that are left when they are renewed. */
const authorityRenewal = 1 / 10;
const leafRenewal = 1 / 3;
/** Clocks of others may be behind. */
const backdated = 5 * 60_000;

/**
 * What to keep of `held`, and what to make anew. A CA is never made in place of a broken one: who trusts the old one would be cut off without
 * a word. A renewed CA has the same name and key, so that what trusts the old one trusts what it signs.
 * @param input.names host names and addresses; those that the certificate has already are kept until it is renewed, for another replica may want them
 * @throws authority-unusable, certificate-unreadable, key-unreadable, alt-name-invalid
 */
export function planServing(input: {
  readonly held: Partial<ServingPems> | undefined;
  readonly names: readonly string[];
  readonly now: number;
  /** Names what is held in errors. */
  readonly where: string;
}): ServingPlan {
  const { held = {}, names, now, where } = input;
  const authority = planAuthority(held, { now, where });
  const leaf = planLeaf(held, { names, now, signer: authority.signer });
  return {
    pems: { ...authority.pems, ...leaf.pems },
    reason: authority.reason ?? leaf.reason,
    next: Math.min(dueAt(authority.signer.certificate, authorityRenewal), dueAt(leaf.certificate, leafRenewal)),
  };
}

function planAuthority(held: Partial<ServingPems>, { now, where }: { readonly now: number; readonly where: string }) {
  const { 'ca.crt': pem, 'ca.key': keyPem } = held;
  if (pem === undefined && keyPem === undefined) {
    const key = generateKey();
    const name = identity(`rfo-manager-ca@${Math.floor(now / 1000)}`);
    return { ...signed(key, { subject: name, now }), reason: 'there was none' };
  }
  if (pem === undefined || keyPem === undefined) throw unusable(where, `it holds ${pem === undefined ? 'no ca.crt' : 'no ca.key'}`);
  const certificate = certificateInfo(pem, `ca.crt of ${where}`);
  const key = decodeKey(keyPem, `ca.key of ${where}`);
  if (!matches(certificate, key)) throw unusable(where, 'ca.key is the key of another one');
  if (!certificate.ca) throw unusable(where, 'ca.crt is not that of a CA');
  if (dueAt(certificate, authorityRenewal) > now) {
    return { signer: { certificate, key }, pems: { 'ca.crt': pem, 'ca.key': keyPem }, reason: undefined };
  }
  return { ...signed(key, { subject: certificate.rawSubject, now }), reason: 'the CA comes to its end' };
}

function signed(key: KeyObject, { subject, now }: { readonly subject: CertificateInfo['subject'] | Buffer; readonly now: number }) {
  const publicKey = publicKeyBytes(createPublicKey(key));
  const der = issueSelfSigned(
    { subject, publicKey, notBefore: now - backdated, notAfter: now + authorityLifetime, ca: { pathLength: 0 } },
    key,
  );
  const pems = { 'ca.crt': encodePem('CERTIFICATE', der), 'ca.key': encodeKey(key) };
  return { signer: { certificate: decodeCertificate(der), key } satisfies Signer, pems };
}

type Leaf = {
  readonly certificate: CertificateInfo;
  readonly pems: Pick<ServingPems, 'tls.crt' | 'tls.key'>;
  readonly reason: string | undefined;
};

function planLeaf(
  held: Partial<ServingPems>,
  { names, now, signer }: { readonly names: readonly string[]; readonly now: number; readonly signer: Signer },
): Leaf {
  const wanted = hostNames(names);
  const kept = readLeaf(held);
  const reason = kept === undefined ? 'there was no certificate that can be used' : flawOf(kept.certificate, { wanted, now, signer });
  if (kept !== undefined && reason === undefined) return { ...kept, reason };
  const due = kept !== undefined && dueAt(kept.certificate, leafRenewal) > now && isSignedBy(kept.certificate, signer.certificate);
  const altNames = due ? union(kept.certificate.altNames, wanted) : wanted;
  const key = generateKey();
  const der = issueCertificate(
    {
      subject: identity('rfo-manager'),
      publicKey: publicKeyBytes(createPublicKey(key)),
      notBefore: now - backdated,
      notAfter: Math.min(now + leafLifetime, signer.certificate.notAfter),
      usages: ['serverAuth'],
      altNames,
    },
    signer,
  );
  return {
    certificate: decodeCertificate(der),
    pems: { 'tls.crt': encodePem('CERTIFICATE', der), 'tls.key': encodeKey(key) },
    reason: reason ?? 'it is made anew',
  };
}

/** Undefined where there is none or it is broken: this one can be made anew at any time. */
function readLeaf({ 'tls.crt': pem, 'tls.key': keyPem }: Partial<ServingPems>): Omit<Leaf, 'reason'> | undefined {
  if (pem === undefined || keyPem === undefined) return undefined;
  try {
    const certificate = certificateInfo(pem);
    return matches(certificate, decodeKey(keyPem, 'tls.key')) ? { certificate, pems: { 'tls.crt': pem, 'tls.key': keyPem } } : undefined;
  } catch (error) {
    if (error instanceof RfoError) return undefined;
    throw error;
  }
}

function flawOf(
  certificate: CertificateInfo,
  { wanted, now, signer }: { readonly wanted: CertificateInfo['altNames']; readonly now: number; readonly signer: Signer },
): string | undefined {
  if (!isSignedBy(certificate, signer.certificate)) return 'it is signed by another CA';
  if (dueAt(certificate, leafRenewal) <= now) return 'it comes to its end';
  const has = new Set(certificate.altNames.map(formatAltName));
  const missing = wanted.map(formatAltName).filter((name) => !has.has(name));
  return missing.length === 0 ? undefined : `it lacks ${missing.join(', ')}`;
}

function union(some: CertificateInfo['altNames'], others: CertificateInfo['altNames']): CertificateInfo['altNames'] {
  return [...new Map([...some, ...others].map((name) => [formatAltName(name), name])).values()];
}

function dueAt({ notBefore, notAfter }: CertificateInfo, share: number): number {
  return notAfter - (notAfter - notBefore) * share;
}

function matches(certificate: CertificateInfo, key: KeyObject): boolean {
  return createPublicKey({ key: certificate.publicKey, format: 'der', type: 'spki' }).equals(createPublicKey(key));
}

function unusable(file: string, problem: string): Error {
  const cure =
    'Put the right Secret back from a copy; only if there is none, delete it while no replica runs: agents and kubeconfigs then have to be given the new CA';
  return fail('authority-unusable', { file, problem, cure });
}
