/** Decides from dates alone: what is to be renewed now, and when to look again. */
import type { CertificateName } from './table.ts';

/** What is known of a certificate while it lies on the disk. Times in milliseconds since 1970. */
export type CertificateState = {
  readonly name: CertificateName;
  readonly kind: 'authority' | 'leaf';
  readonly file: string;
  /** As `CN=system:admin,O=system:masters`. */
  readonly subject: string;
  /** As `ClientAuth,ServerAuth`; `CertSign` of a CA. */
  readonly usages: string;
  readonly notBefore: number;
  readonly notAfter: number;
};

type Dates = Pick<CertificateState, 'kind' | 'notBefore' | 'notAfter'>;

/**
 * When a certificate is renewed: a leaf with `renewal` of its life left; a CA only at its very end, since its file is what others have pinned.
 * @param renewal share of its life, between 0 and 1
 */
export function renewAt({ kind, notBefore, notAfter }: Dates, renewal: number): number {
  return kind === 'authority' ? notAfter : notAfter - (notAfter - notBefore) * renewal;
}

/** Why a certificate is to be renewed now, undefined when it is not. */
export function dueReason(dates: Dates, at: { readonly now: number; readonly renewal: number }): string | undefined {
  const { notBefore, notAfter } = dates;
  if (at.now < notBefore) return `not valid before ${iso(notBefore)}: the clock was set back`;
  if (at.now >= notAfter) return `expired at ${iso(notAfter)}`;
  return at.now >= renewAt(dates, at.renewal) ? `ends at ${iso(notAfter)}` : undefined;
}

/** Which of these to renew now, and when the first of the others is due (Infinity when there is none). */
export function planRenewal<State extends CertificateState>(
  states: readonly State[],
  at: { readonly now: number; readonly renewal: number },
): { readonly due: readonly State[]; readonly nextAt: number } {
  const due = states.filter((state) => dueReason(state, at) !== undefined);
  const later = states.filter((state) => !due.includes(state));
  return { due, nextAt: Math.min(Number.POSITIVE_INFINITY, ...later.map((state) => renewAt(state, at.renewal))) };
}

function iso(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
