/** Keeps the certificates of a running node valid: wakes when the next is due, renews, and says who has to take a new one. */
import { Backoff, type Clock, type Life, type Log, sleep } from '@rfo/foundation';
import type { Ensured, EnsuredCertificate } from './ensured.ts';
import { planRenewal } from './plan.ts';
import { type CertificateReport, type ExpiryEvent, expiryEvents, reportCertificates } from './report.ts';

export type MonitorOptions = {
  /** Looks after all of them: `ensureCertificates` with the inputs of the moment. */
  readonly ensure: () => Promise<Ensured>;
  /** What the start's own call gave. */
  readonly first: Ensured;
  readonly life: Life;
  readonly clock: Clock;
  readonly log: Log;
  readonly renewal: number;
  /** Called with everything that changed; when it throws, it is called again with the same items. */
  readonly onRenewed: (items: readonly EnsuredCertificate[]) => void | Promise<void>;
  /** Called when what is to be said of the node has changed, and at first. */
  readonly onEvents?: (events: readonly ExpiryEvent[]) => void;
  /** Waits; tests put their own in place of the real time. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

export type CertificateMonitor = {
  /** Checks now, for example because the node's address changed. Resolves with what changed once `onRenewed` has taken it; rejects with what failed. */
  readonly check: () => Promise<readonly EnsuredCertificate[]>;
  /** The state of each at this moment, for metrics. */
  readonly reports: () => readonly CertificateReport[];
};

/** The wall clock may jump while a timer runs, so that the longest sleep is an hour. */
const longestSleep = 3_600_000;
/** Keeps a clock that moves under us from making a busy loop. */
const shortestSleep = 1_000;

export function startCertificateMonitor(options: MonitorOptions): CertificateMonitor {
  const { ensure, first, life, clock, log, renewal, onRenewed, onEvents, wait = sleep } = options;
  let states = first.certificates;
  let pending: readonly EnsuredCertificate[] = [];
  let lastSaid = '';
  let queue: Promise<unknown> = Promise.resolve();

  const reports = (): CertificateReport[] => reportCertificates(states, { now: clock.now(), renewal });
  const say = (): void => {
    const events = expiryEvents(reports());
    const said = JSON.stringify(events);
    if (said !== lastSaid) onEvents?.(events);
    lastSaid = said;
  };
  const look = async (): Promise<readonly EnsuredCertificate[]> => {
    try {
      states = (await ensure()).certificates;
    } finally {
      say();
    }
    const changed = states.filter(({ action }) => action !== 'kept');
    for (const { name, action, reason } of changed) log.info(`certificate ${action}`, { name, reason });
    pending = [...pending.filter(({ name }) => !changed.some((item) => item.name === name)), ...changed];
    const items = pending;
    if (items.length > 0) await onRenewed(items);
    pending = [];
    return items;
  };
  const check = (): Promise<readonly EnsuredCertificate[]> => {
    const next = queue.then(look);
    queue = next.catch(() => undefined);
    return next;
  };

  const watch = async (): Promise<void> => {
    const backoff = new Backoff({ initial: 5_000, max: 600_000 });
    let delay = untilNext();
    for (;;) {
      await wait(delay, life.signal);
      try {
        await check();
        backoff.reset();
        delay = untilNext();
      } catch (error) {
        delay = backoff.next();
        log.error('certificates cannot be looked after; trying again', { error, seconds: Math.round(delay / 1000) });
      }
    }
  };
  const untilNext = (): number => {
    const now = clock.now();
    const { due, nextAt } = planRenewal(states, { now, renewal });
    return due.length > 0 ? shortestSleep : Math.min(longestSleep, Math.max(shortestSleep, nextAt - now));
  };

  say();
  const watching = watch().catch((error: unknown) => {
    if (!life.signal.aborted) throw error;
  });
  life.defer(() => watching);
  return { check, reports };
}
