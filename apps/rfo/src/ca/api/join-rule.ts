/** What a join token allows: the identity of its node, once. */
import { hash } from 'node:crypto';
import { fail } from '@rfo/foundation';
import { nodeRule } from '../signing/node-rule.ts';
import type { Rule } from '../signing/types.ts';
import type { CertificateKey, WithIt } from '../store/types.ts';
import type { JoinToken, JoinTokens } from '../tokens/types.ts';

/** Thrown instead of signing: the same key has got its certificate already, and only the answer was lost. */
export class IssuedBefore extends Error {
  override readonly name = 'IssuedBefore';
  readonly key: CertificateKey;
  constructor(key: CertificateKey) {
    super('it was issued before');
    this.key = key;
  }
}

export type JoinRule = {
  readonly rule: Rule;
  /** What writes the use of the token down, together with the certificate. @throws internal before the rule has run */
  readonly record: (key: CertificateKey) => WithIt;
};

/**
 * For one request: binds it to the node, and claims the token for it. The rule throws IssuedBefore, CfsslError 5300 and 5500, ca-token-unknown,
 * ca-token-expired, ca-token-used-up, ca-token-wrong-node, ca-token-wrong-profile.
 */
export function joinRule(token: JoinToken, tokens: JoinTokens): JoinRule {
  const bind = nodeRule(token);
  let claimed: ((key: CertificateKey) => WithIt) | undefined;
  return {
    rule: (draft) => {
      const bound = bind(draft);
      const { node, profile, publicKey } = bound;
      if (node === undefined) throw fail('internal', { what: 'a certificate of a join token is bound to no node' });
      const claim = tokens.claim(token, { node, profile, publicKeyHash: hash('sha256', publicKey) });
      if ('again' in claim) throw new IssuedBefore(claim.again);
      claimed = claim.record;
      return bound;
    },
    record: (key) => {
      if (claimed === undefined) throw fail('internal', { what: 'a certificate was signed past the rule of its join token' });
      return claimed(key);
    },
  };
}
