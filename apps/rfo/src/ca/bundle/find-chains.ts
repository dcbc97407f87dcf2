/**
 * Every chain from a certificate up to a trusted root, in the order in which Go's crypto/x509 finds them: which one a bundle is made of, and
 * which error a client sees, follow from that order. What Go does not look at (whether a certificate was revoked) is not looked at here.
 */
import { formatAltName, nameValue } from '@rfo/pki';
import { formatTime } from '../certinfo/describe-certificate.ts';
import { signatureName } from '../certinfo/signature-name.ts';
import type { Link } from './link.ts';
import type { Pool } from './pool.ts';
import { invalid, unknownAuthority, unverifiable, type VerifyProblem } from './verify-problem.ts';

export type Chain = readonly Link[];
export type Trust = {
  readonly roots: Pool;
  /** Asked in this order. */
  readonly intermediates: readonly Pool[];
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** Go gives up after as many; it bounds what a heap of certificates of one name can cost. */
const maxSignatureChecks = 100;

/** At least one chain; each begins with the certificate and ends with a root. @throws VerifyProblem */
export function findChains(link: Link, trust: Trust): readonly Chain[] {
  const problem = problemOf(link, { trust, below: [], as: 'leaf' });
  if (problem !== undefined) throw problem;
  const chains = trust.roots.has(link) ? [[link]] : new Search(trust).extend([link]);
  const usable = chains.filter(isForTls);
  if (usable.length === 0) throw invalid.incompatibleUsage();
  return usable;
}

class Search {
  readonly #trust: Trust;
  #checks = 0;
  constructor(trust: Trust) {
    this.#trust = trust;
  }

  extend(chain: Chain): readonly Chain[] {
    const last = chain.at(-1);
    if (last === undefined) return [];
    const { roots, intermediates } = this.#trust;
    const found: Chain[] = [];
    let problem: VerifyProblem | undefined;
    let hint = '';
    const consider = (signer: Link, as: 'root' | 'intermediate'): void => {
      this.#checks++;
      if (this.#checks > maxSignatureChecks)
        throw unverifiable('x509: signature check attempts limit reached while verifying certificate chain');
      if (chain.some((one) => isSameEntity(one, signer))) return;
      const unsigned = signatureProblem(last, signer);
      problem = unsigned === undefined ? problemOf(signer, { trust: this.#trust, below: chain, as }) : problem;
      const why = unsigned ?? problem?.message;
      if (why !== undefined) {
        hint ||= ` (possibly because of ${JSON.stringify(why)} while trying to verify candidate authority certificate ${JSON.stringify(titleOf(signer))})`;
      } else if (as === 'root') {
        found.push([...chain, signer]);
      } else {
        try {
          found.push(...this.extend([...chain, signer]));
        } catch (error) {
          if (this.#checks > maxSignatureChecks) throw error;
          problem = error as VerifyProblem;
        }
      }
    };
    for (const signer of roots.signersOf(last)) consider(signer, 'root');
    for (const pool of intermediates) for (const signer of pool.signersOf(last)) consider(signer, 'intermediate');
    if (found.length === 0) throw problem ?? unknownAuthority(hint);
    return found;
  }
}

type Place = { readonly trust: Trust; readonly below: Chain; readonly as: 'leaf' | 'intermediate' | 'root' };

function problemOf({ certificate }: Link, { trust, below, as }: Place): VerifyProblem | undefined {
  const { notBefore, notAfter, unhandled, ca, pathLength } = certificate;
  const now = formatTime(Math.floor(trust.now / 1000) * 1000);
  if (unhandled.length > 0) return unverifiable('x509: unhandled critical extension');
  if (trust.now < notBefore) return invalid.expired(`current time ${now} is before ${formatTime(notBefore)}`);
  if (trust.now > notAfter) return invalid.expired(`current time ${now} is after ${formatTime(notAfter)}`);
  if (as === 'intermediate' && !ca) return invalid.notAuthorizedToSign();
  if (pathLength !== undefined && below.length - 1 > pathLength) return invalid.tooManyIntermediates();
  return undefined;
}

const cannotSign = 'x509: invalid signature: parent certificate cannot sign this kind of certificate';

/** Why `signer` has not signed `link`, in Go's words. */
function signatureProblem(link: Link, { certificate: signer, x509 }: Link): string | undefined {
  if (!signer.ca && isVersion3(signer.signedBytes)) return cannotSign;
  if (signer.keyUsages.length > 0 && !signer.keyUsages.includes('keyCertSign')) return cannotSign;
  const algorithm = signatureName(link.certificate);
  if (/SHA1|MD5/.test(algorithm)) return `x509: cannot verify signature: insecure algorithm ${algorithm}`;
  if (link.x509.verify(x509.publicKey)) return undefined;
  return algorithm.endsWith('RSA') ? 'crypto/rsa: verification error' : `x509: ${algorithm.replace(/With.*/, '')} verification failure`;
}

/** Whether its body begins with a version, which only later versions than the first do. */
function isVersion3(body: Buffer): boolean {
  const long = body[1] ?? 0;
  return body[long < 0x80 ? 2 : 2 + (long & 0x7f)] === 0xa0;
}

/** One and the same authority under two signatures: with both in a chain it would go in circles. */
function isSameEntity({ certificate: one }: Link, { certificate: other }: Link): boolean {
  const names = (certificate: typeof one): string => certificate.altNames.map(formatAltName).join();
  return one.rawSubject.equals(other.rawSubject) && one.publicKey.equals(other.publicKey) && names(one) === names(other);
}

function titleOf({ certificate }: Link): string {
  const { subject, serial } = certificate;
  return nameValue(subject, 'CN') ?? nameValue(subject, 'O') ?? `serial:${BigInt(`0x${serial}`)}`;
}

/** Usages that a bundle is good for; the last two are the gated crypto of the browsers of 1997. */
const tlsUsages = ['serverAuth', 'clientAuth', 'microsoftSgc', 'netscapeSgc'] as const;

/** Whether one usage at least is allowed by all certificates of the chain. */
function isForTls(chain: Chain): boolean {
  return tlsUsages.some((wanted) =>
    chain.every(({ certificate: { usages } }) => usages.length === 0 || usages.includes('any') || usages.includes(wanted)),
  );
}
