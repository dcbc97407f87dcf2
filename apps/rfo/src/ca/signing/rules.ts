/** What this CA signs for nobody unless a compatibility lets it. */
import type { CertificateInfo, CertificateSigningRequest } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import type { Compat } from './compat.ts';
import { isNodeIdentity, systemNames } from './node-rule.ts';
import type { Rule } from './types.ts';

/** The rules for every certificate, applied after those of a profile or a token: the identities of Kubernetes, and the end of the CA. */
export function defaultRules(certificate: CertificateInfo, compat: Compat): readonly Rule[] {
  return [...(compat.has('any-subject') ? [] : [identityRule]), ...(compat.has('outlive-ca') ? [] : [endRule(certificate)])];
}

/**
 * Refuses a request by a key that is too short, or one that is signed with SHA-1; what is weaker still nobody checks at all.
 * Throws CfsslError 5300.
 */
export function refuseWeakKey(request: CertificateSigningRequest, compat: Compat): void {
  if (compat.has('weak-keys')) return;
  if (request.publicKeyAlgorithm === 'RSA' && request.keyBits < 2048)
    throw new CfsslError(5300, `RSA key is too weak: ${request.keyBits} bits, at least 2048 are asked for`);
  if (/SHA1/.test(request.signatureAlgorithm))
    throw new CfsslError(5300, `the signature algorithm ${request.signatureAlgorithm} of the request is too weak`);
}

/** Who is `system:masters` may do everything in a cluster, and who is `system:kube-scheduler` nearly so. A node is one only where a rule has bound it. */
const identityRule: Rule = (draft) => {
  const names = systemNames(draft);
  const bound = draft.node !== undefined && isNodeIdentity(draft.subject, draft.node);
  if (names.length > 0 && !bound)
    throw new CfsslError(5500, `${names.join(' and ')} is an identity of Kubernetes, which this request may not have`);
  return draft;
};

/** Nothing is good for longer than the CA that vouches for it. */
function endRule(certificate: CertificateInfo): Rule {
  return (draft) => {
    if (draft.notBefore >= certificate.notAfter)
      throw new CfsslError(5300, `the CA expired at ${new Date(certificate.notAfter).toISOString()}`);
    return { ...draft, notAfter: Math.min(draft.notAfter, certificate.notAfter) };
  };
}
