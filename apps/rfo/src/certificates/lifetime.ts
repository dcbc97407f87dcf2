/** How long certificates live, and when they are renewed. All times in milliseconds. */
import { fail } from '@rfo/foundation';

const minute = 60_000;
const day = 86_400_000;

export const authorityLifetime = 3650 * day;
export const defaultLeafLifetime = 365 * day;
/** Share of its life that a leaf has left when it is renewed. */
export const defaultRenewal = 1 / 3;
/** A CA that ends within this time is warned of: to replace it, every node and kubeconfig must learn of the new one. */
export const authorityWarning = 365 * day;

/** Validity of a certificate made now. Why it starts earlier: docs/decisions/0002-x509-encoder.md. */
export function validity(now: number, lifetime: number): { notBefore: number; notAfter: number } {
  return { notBefore: now - Math.min(5 * minute, lifetime / 10), notAfter: now + lifetime };
}

/**
 * Lifetime of leaves as the environment sets it, in days: RFO_CERT_EXPIRATION_DAYS, which may be a fraction, else
 * CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS, which RKE2 knows. Throws config-invalid.
 */
export function leafLifetimeOf(environment: Readonly<Record<string, string | undefined>>): number {
  for (const key of ['RFO_CERT_EXPIRATION_DAYS', 'CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS']) {
    const text = environment[key];
    if (text === undefined || text === '') continue;
    const days = Number(text);
    if (days > 0 && days * day <= authorityLifetime) return Math.round(days * day);
    const problem = `"${text}" is no number of days between 0 and ${authorityLifetime / day}`;
    throw fail('config-invalid', { key, where: 'the environment', problem, cure: 'Give a number, for example 365' });
  }
  return defaultLeafLifetime;
}
