/**
 * The revocation list of one CA key: signed anew when a revocation is acknowledged or half of its validity has passed, and only when somebody asks.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Log } from '@rfo/foundation';
import { encodeCrl, encodePem, type RevokedCertificate } from '@rfo/pki';
import { describeCaching } from './caching.ts';
import type { Crl, StatusAuthority, StatusStore } from './types.ts';

export type CrlInputs = {
  readonly store: StatusStore;
  readonly authority: StatusAuthority;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds. */
  readonly validity: number;
};

export type CrlSource = {
  /** @throws ca-store-failed when the number of a list that is due cannot be written down */
  readonly get: () => Promise<Crl>;
  /** The one that was given last. */
  readonly latest: () => Crl | undefined;
  readonly close: () => void;
};

export function createCrlSource({ store, authority, clock, log, validity }: CrlInputs): CrlSource {
  const authorityKeyId = authority.identity.keyId.toString('hex');
  let latest: { readonly crl: Crl; readonly entries: readonly RevokedCertificate[] } | undefined;
  /** What is known of the database since `latest` was made: nothing new, another process wrote something, a revocation. */
  let news: News = 'none';
  let building: Promise<Crl> | undefined;

  const close = store.onChange((change) => {
    if (change === 'anything') hear('perhaps');
    else if (change.status === 'revoked' && change.authorityKeyId === authorityKeyId) hear('revoked');
    else return;
    // Who asks from now on must not get a list that was read before.
    building = undefined;
  });
  const hear = (more: News): void => {
    if (weights[more] > weights[news]) news = more;
  };

  const isDue = (): boolean => {
    if (latest === undefined) return true;
    const { thisUpdate, nextUpdate } = latest.crl;
    const now = clock.now();
    return now < thisUpdate || now >= thisUpdate + (nextUpdate - thisUpdate) / 2;
  };
  const read = (): readonly RevokedCertificate[] =>
    store
      .revoked(authorityKeyId, clock.now())
      .map(({ serial, revokedAt, reason }) => ({ serial: BigInt(serial), revokedAt: revokedAt ?? 0, reason }));

  const build = async (): Promise<Crl> => {
    const heard = news;
    news = 'none';
    try {
      const entries = read();
      if (heard === 'perhaps' && latest !== undefined && !isDue() && isDeepStrictEqual(entries, latest.entries)) return latest.crl;
      const crl = await sign(entries, { authority, number: await store.nextCrlNumber(), now: clock.now(), validity });
      if (latest === undefined || crl.number > latest.crl.number) latest = { crl, entries };
      return crl;
    } catch (error) {
      hear(heard);
      // One that is merely due is still good: better that than none while the disk is full.
      if (heard !== 'none' || latest === undefined || clock.now() >= latest.crl.nextUpdate) throw error;
      log.error('the revocation list could not be signed anew; the former is given until it ends', { error });
      return latest.crl;
    }
  };

  return {
    get: async () => {
      store.look();
      if (latest !== undefined && news === 'none' && building === undefined && !isDue()) return latest.crl;
      const own = building ?? build();
      building = own;
      try {
        return await own;
      } finally {
        if (building === own) building = undefined;
      }
    },
    latest: () => latest?.crl,
    close,
  };
}

type News = 'none' | 'perhaps' | 'revoked';
const weights: Readonly<Record<News, number>> = { none: 0, perhaps: 1, revoked: 2 };

type Signing = { readonly authority: StatusAuthority; readonly number: bigint; readonly now: number; readonly validity: number };

async function sign(entries: readonly RevokedCertificate[], { authority, number, now, validity }: Signing): Promise<Crl> {
  const thisUpdate = Math.floor(now / 1000) * 1000;
  const nextUpdate = thisUpdate + validity;
  const der = await encodeCrl({ issuer: authority.identity, number, thisUpdate, nextUpdate, entries });
  const pem = Buffer.from(encodePem('X509 CRL', der));
  // A cache may keep it, but asks each time whether it is still the last: a 304 costs little, and a revocation is seen at once.
  const window = { thisUpdate, nextUpdate, cacheControl: 'public, no-cache' };
  return { der, pem, number, thisUpdate, nextUpdate, caching: describeCaching(der, window), pemCaching: describeCaching(pem, window) };
}
