/** Which of several chains is the best one, by the two ways of cfssl: accepted by most, or shortest and strongest. */
import { signatureName } from '../certinfo/signature-name.ts';
import type { Chain } from './find-chains.ts';
import type { Link } from './link.ts';

/** Accepted by most peers, old ones too; then as `optimalChain`. */
export function ubiquitousChain(chains: readonly Chain[]): Chain | undefined {
  return best(chains, [sha2Throughout, shorter, olderHash, olderKey, longerAuthorities, ...optimal]);
}

/** The shortest; of several the one that is valid longest; of several of those the strongest. */
export function optimalChain(chains: readonly Chain[]): Chain | undefined {
  return best(chains, optimal);
}

/** The end of the validity of a chain: that of its first certificate to expire. */
export function endOf(chain: Chain): number {
  return Math.min(...chain.map(({ certificate }) => certificate.notAfter));
}

/** How widely the hashes of a chain's signatures are understood: 100 SHA-1, 70 SHA-2, 0 others. The weakest link counts. */
export function hashUbiquity(chain: Chain): number {
  return Math.min(...chain.map((link) => ({ sha1: 100, sha2: 70, other: 0 })[hashOf(link)]));
}

/** The same of its keys: 100 RSA, 70 P-256 and P-384, 30 P-521, 0 others. */
export function keyUbiquity(chain: Chain): number {
  return Math.min(...chain.map(keyUbiquityOf));
}

/** Above 0: the first one is better; 0: neither. */
type Compare = (one: Chain, other: Chain) => number;

/** Each comparison leaves only the best for the next one; of those that are left the first wins. */
function best(chains: readonly Chain[], comparisons: readonly Compare[]): Chain | undefined {
  const left = comparisons.reduce<readonly Chain[]>((rest, compare) => {
    const top = rest.reduce<Chain | undefined>((leader, chain) => (leader && compare(leader, chain) >= 0 ? leader : chain), undefined);
    return top === undefined ? rest : rest.filter((chain) => compare(top, chain) === 0);
  }, chains);
  return left[0];
}

const by =
  (score: (chain: Chain) => number): Compare =>
  (one, other) =>
    score(one) - score(other);

const shorter = by((chain) => -chain.length);
const strength = by((chain) => average(chain.map(hashStrength)) + average(chain.map(keyStrength)));
const optimal = [shorter, by(endOf), strength];
const sha2Throughout = by((chain) => (chain.slice(0, -1).every((link) => hashOf(link) === 'sha2') ? 1 : 0));
const olderHash = by(hashUbiquity);
const olderKey = by(keyUbiquity);

/** From the root down, the first pair that differs decides: of acceptable length before too long, then the later end. */
const longerAuthorities: Compare = (one, other) => {
  for (let back = 1; back <= Math.min(one.length, other.length); back++) {
    const [first, second] = [one.at(-back), other.at(-back)];
    if (first === undefined || second === undefined) break;
    const difference =
      Number(isAcceptablyLong(first)) - Number(isAcceptablyLong(second)) || first.certificate.notAfter - second.certificate.notAfter;
    if (difference !== 0) return difference;
  }
  return 0;
};

function hashOf({ certificate }: Link): 'sha1' | 'sha2' | 'other' {
  const name = signatureName(certificate);
  if (name.includes('SHA1')) return 'sha1';
  return /SHA(256|384|512)/.test(name) ? 'sha2' : 'other';
}

function hashStrength(link: Link): number {
  return { sha1: 10, sha2: 100, other: 0 }[hashOf(link)];
}

function keyUbiquityOf({ x509: { publicKey } }: Link): number {
  const { modulusLength = 0, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType === 'rsa') return modulusLength >= 1024 ? 100 : 0;
  return { prime256v1: 70, secp384r1: 70, secp521r1: 30 }[namedCurve] ?? 0;
}

function keyStrength({ x509: { publicKey } }: Link): number {
  const { modulusLength = 0, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType === 'rsa') return { 2048: 30, 3072: 50, 4096: 70 }[modulusLength] ?? 0;
  return { prime256v1: 100, secp384r1: 120, secp521r1: 140 }[namedCurve] ?? 0;
}

/** Whole numbers, as cfssl compares them. */
function average(values: readonly number[]): number {
  return Math.floor(values.reduce((sum, value) => sum + value, 0) / values.length);
}

/** How many months a certificate of its time was allowed to be valid for (CA/Browser Forum, Baseline Requirements). */
function isAcceptablyLong({ certificate }: Link): boolean {
  const [from, to] = [new Date(certificate.notBefore), new Date(certificate.notAfter)];
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
  const begun = to.getUTCDate() > from.getUTCDate() ? 1 : 0;
  const allowed = certificate.notBefore >= Date.UTC(2015, 3) ? 39 : certificate.notBefore >= Date.UTC(2012, 6) ? 60 : 120;
  return months + begun <= allowed;
}
