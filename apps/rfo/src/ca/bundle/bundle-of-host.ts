/** The bundle of the certificates that a host shows on its port for HTTPS. */

import { chainOfHost } from '../certinfo/host-certificate.ts';
import { hostProblem } from '../certinfo/host-match.ts';
import { CfsslError } from '../cfssl-error.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { Bundle, Bundler } from './bundler.ts';
import { unverifiable } from './verify-problem.ts';

export type HostWish = {
  readonly domain: string;
  /** Where the host is, if not where its name leads. */
  readonly ip: string | undefined;
  readonly flavor: string;
  readonly signal: AbortSignal;
  readonly port?: number;
};

/** @throws CfsslError 6000 where the host cannot be reached, 1200 where its certificate is another's, and what `bundle` throws */
export async function bundleOfHost(bundler: Bundler, { outbound, ...wish }: HostWish & { readonly outbound: Outbound }): Promise<Bundle> {
  const { domain, ip, flavor, signal, port = 443 } = wish;
  const host = ip === undefined || ip === '' ? domain : ip;
  const certificates = await dial(chainOfHost({ host, port }, { outbound, signal, wish: { name: domain } }), signal);
  const [leaf] = certificates;
  const problem = leaf === undefined ? 'received no server certificates' : hostProblem(leaf, domain);
  if (problem !== undefined) throw unverifiable(problem);
  return await bundler.bundle({ certificates, flavor, signal });
}

async function dial<T>(connection: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await connection;
  } catch (error) {
    signal.throwIfAborted();
    throw new CfsslError(6000, error instanceof Error ? error.message : String(error));
  }
}
