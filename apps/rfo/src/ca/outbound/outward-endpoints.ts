/** The endpoints that have nothing to do with the CA's key: certinfo, bundle, scan and scaninfo, with the files that they look into. */
import { readFile } from 'node:fs/promises';
import type { Clock, Log } from '@rfo/foundation';
import { type CertificateInfo, certificateInfos } from '@rfo/pki';
import { bundleEndpoint, bundleOfIssued } from '../api/endpoints/bundle.ts';
import { certinfoEndpoint } from '../api/endpoints/certinfo.ts';
import { scanEndpoints } from '../api/endpoints/scan.ts';
import type { Endpoint } from '../api/types.ts';
import { createBundler } from '../bundle/bundler.ts';
import { openStash } from '../bundle/stash.ts';
import { systemRoots } from '../bundle/system-roots.ts';
import type { Compat } from '../signing/compat.ts';
import type { CertificateStore } from '../store/types.ts';
import { createOutbound } from './outbound.ts';

export type OutwardOptions = {
  /** Roots (`-ca-bundle`); without it those of the system. */
  readonly caBundle?: string;
  /** Intermediates (`-int-bundle`). */
  readonly intBundle?: string;
  /** Folder of intermediates that were fetched (`-int-dir`); without it they are remembered until the end of the process. */
  readonly intDir?: string;
  /** Undefined where the CA has no database. */
  readonly store: Pick<CertificateStore, 'find'> | undefined;
  readonly compat: Compat;
  readonly clock: Clock;
  readonly log: Log;
};

export type Outward = {
  readonly endpoints: readonly Endpoint[];
  /** What stands in `bundle` of an answer, for the PEM of a new certificate; there where both bundles were named, as with cfssl. */
  readonly bundle: ((pem: string, signal: AbortSignal) => Promise<unknown>) | undefined;
};

/** @throws ENOENT and the like, certificate-unreadable with the name of the file */
export async function openOutward(options: OutwardOptions): Promise<Outward> {
  const { caBundle, intBundle, intDir, store, compat, clock, log } = options;
  const outbound = createOutbound({ local: compat.has('local-targets') });
  const given = caBundle === undefined ? undefined : await readAll(caBundle);
  let system: readonly CertificateInfo[] | undefined;
  const roots = (): readonly CertificateInfo[] => {
    if (given !== undefined) return given;
    system ??= systemRoots(log);
    return system;
  };
  const bundler = createBundler({
    roots,
    intermediates: intBundle === undefined ? [] : await readAll(intBundle),
    ...(intDir !== undefined && { stash: await openStash(intDir) }),
    outbound,
    clock,
    log,
  });
  const both = caBundle !== undefined && intBundle !== undefined;
  return {
    endpoints: [certinfoEndpoint({ store, outbound }), bundleEndpoint({ bundler, outbound }), ...scanEndpoints({ outbound, roots, clock })],
    bundle: both ? (pem, signal) => bundleOfIssued(bundler, pem, signal) : undefined,
  };
}

async function readAll(file: string): Promise<readonly CertificateInfo[]> {
  return certificateInfos(await readFile(file, 'utf8'), file);
}
