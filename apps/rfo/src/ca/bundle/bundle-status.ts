/** What a client should know about a bundle: bits and sentences. */
import type { Chain } from './find-chains.ts';
import { hashUbiquity, keyUbiquity } from './rank-chains.ts';

/** In cfssl's order of keys. */
export type BundleStatus = {
  /** The bundle is not what was sent. */
  readonly rebundled: boolean;
  /** Subject key identifiers of certificates that end within 30 days: upper-case hex. */
  readonly expiring_SKIs: readonly string[] | null;
  /** cfssl knows it only by metadata of platforms, which we do not read: always empty, null where no root was looked for. */
  readonly untrusted_root_stores: readonly string[] | null;
  readonly messages: readonly string[] | null;
  /** Bit 0: it ends soon; bit 1: old peers do not understand it. */
  readonly code: number;
};

const expiringBit = 1;
const notUbiquitousBit = 2;
const soon = 30 * 86_400_000;

/** @param chain up to the root, or of a forced bundle as it was sent */
export function judgeBundle(chain: Chain, at: { readonly now: number; readonly rooted: boolean }): Omit<BundleStatus, 'rebundled'> {
  const expiring = [...chain.entries()].filter(([, { certificate }]) => certificate.notAfter - at.now < soon);
  const places = expiring.map(([index]) => `#${index + 1}`).join(', ');
  const remarks: readonly (readonly [boolean, number, string])[] = [
    [expiring.length > 0, expiringBit, `Within 30 days these certificates of the chain expire: ${places}.`],
    [hashUbiquity(chain) <= 70, notUbiquitousBit, 'It has SHA-2 or later signatures: systems of before 2008 do not verify those.'],
    [keyUbiquity(chain) <= 70, notUbiquitousBit, 'It has keys on elliptic curves: systems of before 2012 may not verify their signatures.'],
    [at.rooted, notUbiquitousBit, 'Which platforms trust its root is not known here.'],
  ];
  const made = remarks.filter(([applies]) => applies);
  return {
    expiring_SKIs: expiring.length > 0 ? expiring.map(([, { certificate }]) => hex(certificate.subjectKeyId)) : null,
    untrusted_root_stores: at.rooted ? [] : null,
    messages: made.length > 0 ? made.map(([, , text]) => text) : null,
    code: made.reduce((bits, [, bit]) => bits | bit, 0),
  };
}

function hex(id: Buffer | undefined): string {
  return id?.toString('hex').toUpperCase() ?? '';
}
