import { type Life, type Log, orAbort, sleep } from '@rfo/foundation';
import { isAlreadyExists, isConflict } from './api-status.ts';
import type { KubeClient } from './client.ts';
import type { Lease } from './kinds.ts';

export type LeaderOptions = {
  readonly client: KubeClient;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Who we are; different for every candidate. */
  readonly identity: string;
  /** Runs while we lead; its life ends when we do not any more. */
  readonly lead: (life: Life) => Promise<void>;
  readonly life: Life;
  readonly log: Log;
  /** Milliseconds: the others wait `duration` after the last sign of life, the leader gives up after `deadline` without success. */
  readonly timing?: { readonly duration: number; readonly deadline: number; readonly retry: number };
};

const usualTiming = { duration: 15_000, deadline: 10_000, retry: 2_000 };

/**
 * Runs `lead` while we hold a Lease, as client-go does it (same object, same meaning of its fields), until the life ends. Whether a
 * holder is alive is judged by our own clock since the Lease last changed, never by comparing clocks.
 */
export async function electLeader(options: LeaderOptions): Promise<void> {
  const { life, log, lease } = options;
  const { duration, deadline, retry } = options.timing ?? usualTiming;
  const seen: Seen = { resourceVersion: undefined, at: 0 };
  while (!life.signal.aborted) {
    const held = await attempt(options, { duration, seen });
    if (held) {
      log.info('leads', { lease: lease.name });
      await leadWhileRenewed(options, { duration, deadline, retry });
      log.info('leads no more', { lease: lease.name });
    }
    await sleep(retry * (1 + Math.random() * 0.2), life.signal).catch(() => undefined);
  }
}

/** The last change of the Lease that we saw, and when (ms, monotonic). */
type Seen = { resourceVersion: string | undefined; at: number };

async function leadWhileRenewed(options: LeaderOptions, timing: { duration: number; deadline: number; retry: number }): Promise<void> {
  const { life, lead, log } = options;
  const term = life.child();
  const leading = lead(term).then(
    () => term.end(),
    (error: unknown) => {
      log.error('what the leader does has failed', { error });
      return term.end(error);
    },
  );
  let renewed = performance.now();
  while (!term.signal.aborted) {
    await sleep(timing.retry, term.signal).catch(() => undefined);
    if (term.signal.aborted) break;
    const seen: Seen = { resourceVersion: undefined, at: performance.now() };
    if (await orAbort(attempt(options, { duration: timing.duration, seen }), AbortSignal.timeout(timing.deadline)).catch(() => false)) {
      renewed = performance.now();
    } else if (performance.now() - renewed > timing.deadline || (seen.resourceVersion !== undefined && seen.at > renewed)) {
      await term.end(new Error('the lease is lost'));
    }
  }
  await leading;
  await release(options).catch((error: unknown) => log.warn('the lease was not given back', { error }));
}

/** Takes or renews the Lease; false where another holds it. */
async function attempt(options: LeaderOptions, { duration, seen }: { duration: number; seen: Seen }): Promise<boolean> {
  const { client, identity, log, life } = options;
  const signal = life.signal;
  try {
    const found = await client.find<Lease>(refOf(options), { signal });
    if (found === undefined) {
      await client.create(render(options, undefined, duration), { signal });
      return true;
    }
    const holder = found.spec?.holderIdentity;
    if (holder !== identity && holder) {
      if (found.metadata.resourceVersion !== seen.resourceVersion) {
        seen.resourceVersion = found.metadata.resourceVersion;
        seen.at = performance.now();
        return false;
      }
      if (performance.now() - seen.at < duration) return false;
    }
    await client.replace(render(options, found, duration), { signal });
    return true;
  } catch (error) {
    if (!life.signal.aborted && !isConflict(error) && !isAlreadyExists(error)) log.warn('the lease cannot be renewed', { error });
    return false;
  }
}

/** An empty holder lets another candidate lead at once. */
async function release(options: LeaderOptions): Promise<void> {
  const found = await options.client.find<Lease>(refOf(options));
  if (found?.spec?.holderIdentity !== options.identity) return;
  await options.client.replace({ ...found, spec: { ...found.spec, holderIdentity: '', leaseDurationSeconds: 1 } });
}

function render(options: LeaderOptions, found: Lease | undefined, duration: number): Lease {
  const { name, namespace } = options.lease;
  const now = `${new Date().toISOString().slice(0, -1)}000Z`;
  const mine = found?.spec?.holderIdentity === options.identity;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: found?.metadata ?? { name, namespace },
    spec: {
      holderIdentity: options.identity,
      leaseDurationSeconds: Math.max(1, Math.round(duration / 1000)),
      acquireTime: (mine ? found?.spec?.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: (found?.spec?.leaseTransitions ?? 0) + (found === undefined || mine ? 0 : 1),
    },
  };
}

function refOf({ lease }: LeaderOptions) {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease };
}
