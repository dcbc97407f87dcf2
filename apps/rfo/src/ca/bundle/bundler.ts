/**
 * Bundles a certificate with the intermediates that lead to a trusted root, as cfssl's bundler: from what was sent, what is known, and what
 * can be fetched where the certificates say that their issuers are.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock, Log } from '@rfo/foundation';
import { type CertificateInfo, certificateUrls } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { fetchIssuer } from '../outbound/fetch-issuer.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { type BundleStatus, judgeBundle } from './bundle-status.ts';
import { type Chain, findChains } from './find-chains.ts';
import { isInOrder, isSelfSigned, type Link, makeLink } from './link.ts';
import { createPool, type Pool } from './pool.ts';
import { optimalChain, ubiquitousChain } from './rank-chains.ts';
import type { Stash } from './stash.ts';
import { unverifiable, VerifyProblem } from './verify-problem.ts';

export type Bundle = {
  readonly leaf: Link;
  /** Without the root, but where a leaf with OCSP would stand alone. */
  readonly chain: Chain;
  /** Undefined of a forced bundle: nobody looked for it. */
  readonly root: Link | undefined;
  readonly key: KeyObject | undefined;
  readonly status: BundleStatus;
};

export type BundleWish = {
  /** At least one; the leaf first, or last where they are the other way round. */
  readonly certificates: readonly CertificateInfo[];
  readonly key?: KeyObject | undefined;
  /** `optimal`, `force`; anything else is `ubiquitous`, as with cfssl. */
  readonly flavor: string;
  readonly signal: AbortSignal;
};

export type Bundler = {
  /** @throws CfsslError 12xx where no chain can be verified, 1100 for a self-signed certificate, 2200 and 2300 for its key */
  readonly bundle: (wish: BundleWish) => Promise<Bundle>;
};

export type BundlerOptions = {
  /** Asked when the first bundle is made: a system has some 150 roots. */
  readonly roots: () => readonly CertificateInfo[];
  readonly intermediates: readonly CertificateInfo[];
  /** Where intermediates that were fetched and verified are kept. */
  readonly stash?: Stash;
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly log: Log;
};

/** Fetches for one bundle: a chain has three or four certificates. */
const maxFetches = 8;
/** Intermediates that are remembered in all: every public one would be some thousands. */
const maxKnown = 1000;

export function createBundler(options: BundlerOptions): Bundler {
  const { outbound, stash, clock, log } = options;
  let rootPool: Pool | undefined;
  const roots = (): Pool => {
    rootPool ??= createPool(options.roots());
    return rootPool;
  };
  const known = createPool([...options.intermediates, ...(stash?.certificates ?? [])]);

  const chainsOf = (leaf: Link, candidates: Pool): readonly Chain[] =>
    findChains(leaf, { roots: roots(), intermediates: [known, candidates], now: clock.now() });

  const search = async (links: readonly Link[], problem: VerifyProblem, signal: AbortSignal): Promise<readonly Chain[]> => {
    const [leaf, ...sent] = links;
    if (leaf === undefined) throw problem;
    const candidates = createPool(sent.map(({ certificate }) => certificate));
    const attempt = (): readonly Chain[] | undefined => {
      try {
        return chainsOf(leaf, candidates);
      } catch (error) {
        if (error instanceof VerifyProblem) return undefined;
        throw error;
      }
    };
    let chains = attempt();
    const open = links.toReversed().map(({ certificate }) => certificate);
    const asked = new Set<string>();
    for (let next = open.shift(); chains === undefined && next !== undefined; next = open.shift()) {
      for (const url of certificateUrls(next).issuers) {
        if (asked.has(url) || asked.size >= maxFetches) continue;
        asked.add(url);
        const issuer = await fetchIssuer(url, { outbound, signal });
        if (issuer === undefined || candidates.has(makeLink(issuer))) continue;
        candidates.add(issuer);
        open.unshift(issuer);
      }
      chains = attempt();
    }
    if (chains === undefined) throw problem;
    await remember(chains);
    return chains;
  };

  /** What stands in a verified chain need not be sent or fetched the next time. */
  const remember = async (chains: readonly Chain[]): Promise<void> => {
    for (const link of chains.flatMap((chain) => chain.slice(1, -1))) {
      if (known.has(link) || known.size() >= maxKnown) continue;
      known.add(link.certificate);
      try {
        await stash?.keep(link.certificate);
      } catch (error) {
        // The bundle is right all the same; only the next start of the CA will not know the intermediate.
        log.warn('an intermediate certificate could not be kept', { error });
      }
    }
  };

  return {
    bundle: async ({ certificates, key, flavor, signal }) => {
      const links = inOrder(certificates.map(readLink));
      const [leaf] = links;
      if (leaf === undefined) throw new CfsslError(1002, 'Failed to decode certificate');
      checkKey(leaf, key);
      if (flavor === 'force') {
        if (!isInOrder(links)) throw unverifiable('Unable to verify the certificate chain');
        const status = { rebundled: false, ...judgeBundle(links, { now: clock.now(), rooted: false }) };
        return { leaf, chain: links, root: undefined, key, status };
      }
      if (isSelfSigned(leaf)) throw new CfsslError(1100, 'Certificate is self signed');
      let chains: readonly Chain[];
      try {
        chains = chainsOf(leaf, createPool());
      } catch (error) {
        if (!(error instanceof VerifyProblem) || !error.unknownAuthority) throw error;
        chains = await search(links, error, signal);
      }
      const whole = (flavor === 'optimal' ? optimalChain(chains) : ubiquitousChain(chains)) ?? [leaf];
      const chain = withoutRoot(whole);
      const status = { rebundled: !isSameChain(chain, links), ...judgeBundle(whole, { now: clock.now(), rooted: true }) };
      return { leaf, chain, root: whole.at(-1), key, status };
    },
  };
}

function readLink(certificate: CertificateInfo): Link {
  try {
    return makeLink(certificate);
  } catch {
    // OpenSSL's own words are of no use to a client that looks at the number.
    throw new CfsslError(1003, 'Failed to parse certificate');
  }
}

/** Some programs write the root first. */
function inOrder(links: readonly Link[]): readonly Link[] {
  const reversed = links.toReversed();
  return !isInOrder(links) && isInOrder(reversed) ? reversed : links;
}

function checkKey({ x509 }: Link, key: KeyObject | undefined): void {
  const kind = x509.publicKey.asymmetricKeyType ?? '';
  if (!['rsa', 'ec', 'ed25519'].includes(kind)) throw new CfsslError(2200, 'Private key algorithm is not RSA or ECC or Ed25519');
  if (key !== undefined && !createPublicKey(key).equals(x509.publicKey))
    throw new CfsslError(2300, 'Private key does not match public key');
}

/** A leaf with an OCSP responder keeps its issuer beside it, for whoever asks the responder needs that. */
function withoutRoot(chain: Chain): Chain {
  const [leaf] = chain;
  if (leaf === undefined || chain.length < 2) return chain;
  const asks = certificateUrls(leaf.certificate).ocsp.length > 0 && !leaf.certificate.ca;
  return asks && chain.length <= 2 ? chain : chain.slice(0, -1);
}

function isSameChain(one: Chain, other: Chain): boolean {
  return one.length === other.length && one.every((link, index) => other[index]?.certificate.der.equals(link.certificate.der) === true);
}
