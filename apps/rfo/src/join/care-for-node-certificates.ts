/** Keeps the certificates of a running agent valid, with the monitor that servers use for theirs. */
import { type Clock, type Life, type Log, retry, sleep } from '@rfo/foundation';
import type { Ensured, EnsuredCertificate } from '../certificates/ensured.ts';
import { defaultRenewal } from '../certificates/lifetime.ts';
import { type CertificateMonitor, startCertificateMonitor } from '../certificates/monitor.ts';
import type { ExpiryEvent } from '../certificates/report.ts';
import type { Paths } from '../paths.ts';
import { ensureNodeCertificates, type NodeCertificates } from './node-certificates.ts';
import type { SupervisorClient } from './supervisor-client.ts';

export type CareOptions = {
  /** What the start's own `ensureNodeCertificates` or `keptNodeCertificates` gave. */
  readonly first: NodeCertificates;
  /** True after a start without a server: all is looked at as soon as one answers, not only what is due. */
  readonly startedAlone: boolean;
  /** Makes a client for one look: with the client certificate and the addresses of the moment. One attempt; it is closed afterwards. */
  readonly connect: () => SupervisorClient | Promise<SupervisorClient>;
  readonly paths: Paths;
  readonly nodeName: string;
  /** The addresses of the moment. */
  readonly nodeIps: () => readonly string[];
  readonly nodePassword: string;
  readonly life: Life;
  readonly clock: Clock;
  readonly log: Log;
  readonly renewal?: number;
  readonly onRenewed: (items: readonly EnsuredCertificate[]) => void | Promise<void>;
  readonly onEvents?: (events: readonly ExpiryEvent[]) => void;
  /** Waits; tests put their own in place of the real time. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

/** Where a server gives certificates that are due at once (its CA is at its end), it is not asked for better ones more often than this. */
const shortestWait = 5_000;

/**
 * Renews certificates when they are due, again and again while no server answers, and warns of those that near their end meanwhile.
 * `check` of the result looks at once, for example because an address of the node changed or a server came back.
 */
export function careForNodeCertificates(options: CareOptions): CertificateMonitor {
  const { first, startedAlone, connect, paths, nodeName, nodeIps, nodePassword, life, clock, log, onRenewed, onEvents } = options;
  const { renewal = defaultRenewal, wait = sleep } = options;
  const ensure = async (): Promise<Ensured> => {
    using client = await connect();
    const now = clock.now();
    return asEnsured(await ensureNodeCertificates({ client, paths, nodeName, nodeIps: nodeIps(), nodePassword, now, renewal }));
  };
  const monitor = startCertificateMonitor({
    ...{ ensure, first: asEnsured(first), life, clock, log, renewal, onRenewed },
    ...(onEvents && { onEvents }),
    wait: (milliseconds, signal) => wait(Math.max(milliseconds, shortestWait), signal),
  });
  if (startedAlone) {
    const looked = retry(monitor.check, {
      initial: 1_000,
      max: 30_000,
      signal: life.signal,
      onError: (error) => log.debug('the certificates are looked at once a server answers', { error }),
    }).catch((error: unknown) => {
      if (!life.signal.aborted) throw error;
    });
    life.defer(() => looked);
  }
  return monitor;
}

/** Service accounts are signed by servers alone: an agent has no key for them. */
function asEnsured({ certificates }: NodeCertificates): Ensured {
  return { certificates, serviceKey: { name: 'service', action: 'kept', reason: 'an agent has none', usedBy: [] } };
}
