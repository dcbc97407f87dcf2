/** Who signed whom: single steps and whole chains. */
import { createPublicKey } from 'node:crypto';
import { fail } from '@rfo/foundation';
import type { CertificateInfo } from './certificate-info.ts';
import { verifyBytes } from './key.ts';
import { formatName } from './name.ts';

/** Whether `signer` is the one that signed `certificate`: same name, same key, right signature. Dates are not looked at. */
export function isSignedBy(certificate: CertificateInfo, signer: CertificateInfo): boolean {
  if (!certificate.rawIssuer.equals(signer.rawSubject)) return false;
  const { authorityKeyId, signedBytes, signatureAlgorithm, signature } = certificate;
  if (authorityKeyId && signer.subjectKeyId && !authorityKeyId.equals(signer.subjectKeyId)) return false;
  const publicKey = createPublicKey({ key: signer.publicKey, format: 'der', type: 'spki' });
  return verifyBytes(signedBytes, { algorithm: signatureAlgorithm, signature, publicKey });
}

/** A root: signed by itself. */
export function isSelfSigned(certificate: CertificateInfo): boolean {
  return isSignedBy(certificate, certificate);
}

export type Trust = {
  readonly intermediates?: readonly CertificateInfo[];
  readonly roots: readonly CertificateInfo[];
  /** Milliseconds since 1970. */
  readonly now: number;
};

/**
 * The chain from `certificate` up to one of the roots, both included. Checks dates, signatures, CA flags, path lengths and that no critical
 * extension is unknown (RFC 5280 §6.1); name constraints are such an unknown one. Throws certificate-untrusted.
 */
export function findChain(certificate: CertificateInfo, trust: Trust): CertificateInfo[] {
  const problems: string[] = [];
  const chain = extend([certificate], trust, problems);
  if (chain !== undefined) return chain;
  const problem = problems[0] ?? `no trusted CA is named ${formatName(certificate.issuer)}`;
  throw fail('certificate-untrusted', { subject: formatName(certificate.subject), problem });
}

function extend(chain: readonly CertificateInfo[], trust: Trust, problems: string[]): CertificateInfo[] | undefined {
  const last = chain[chain.length - 1];
  if (last === undefined) return undefined;
  const problem = problemOf(last, { now: trust.now, below: chain.length - 1 });
  if (problem !== undefined) {
    problems.push(problem);
    return undefined;
  }
  if (trust.roots.some((root) => root.der.equals(last.der))) return [...chain];
  const candidates = [...trust.roots, ...(trust.intermediates ?? [])].filter((next) => !chain.includes(next) && isSignedBy(last, next));
  for (const next of candidates) {
    const found = extend([...chain, next], trust, problems);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param at `below`: how many certificates stand below this one in the chain (0: it is the leaf) */
function problemOf(certificate: CertificateInfo, at: { now: number; below: number }): string | undefined {
  const name = formatName(certificate.subject);
  const { notBefore, notAfter, unhandled, ca, keyUsages, pathLength } = certificate;
  if (at.now < notBefore) return `${name} is valid only from ${new Date(notBefore).toISOString()}`;
  if (at.now > notAfter) return `${name} expired at ${new Date(notAfter).toISOString()}`;
  if (unhandled.length > 0) return `${name} has critical extensions that are not understood: ${unhandled.join(', ')}`;
  if (at.below === 0) return undefined;
  if (!ca || (keyUsages.length > 0 && !keyUsages.includes('keyCertSign'))) return `${name} is no CA`;
  if (pathLength !== undefined && at.below - 1 > pathLength) return `${name} may not stand above ${at.below - 1} further CAs`;
  return undefined;
}
