/** What a look at a TLS server is made of. */
import type { CertificateInfo } from '@rfo/pki';
import type { HostPort } from '../outbound/host-port.ts';
import type { Outbound } from '../outbound/outbound.ts';

/** The words of the API. */
export type Grade = 'Bad' | 'Warning' | 'Good';

/** Whom to look at, and with what. */
export type Target = {
  /** As it was asked for. */
  readonly host: string;
  /** Where to connect to: the host, or the address given for it. */
  readonly at: HostPort;
  readonly outbound: Outbound;
  readonly roots: () => readonly CertificateInfo[];
  readonly now: () => number;
  readonly signal: AbortSignal;
};

/** What one look has found. A look that throws is graded Bad, and its error shown. */
export type Finding = { readonly grade: Grade; readonly output?: unknown; readonly error?: string };

export type Scanner = { readonly description: string; readonly scan: (target: Target) => Promise<Finding> };
export type Family = { readonly description: string; readonly scanners: Readonly<Record<string, Scanner>> };
