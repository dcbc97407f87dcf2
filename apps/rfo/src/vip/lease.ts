/**
 * The Lease that says which server holds the virtual IP. Beside `electLeader` of @rfo/kube, because the address needs more than a leader: the
 * moment at which each renewal was sent, an answer in bounded time, and a term that outlives a restart.
 */
import { orAbort, RfoError, sleep } from '@rfo/foundation';
import { isAlreadyExists, isConflict, isNotFound, type KubeClient, type Lease } from '@rfo/kube';
import type { Timing } from './timing.ts';

export type Written =
  /** We hold it; counted from `sent` (ms, monotonic). */
  | { readonly outcome: 'held'; readonly sent: number }
  /** `lost`: another holds it. `unreachable`: our API server is not there. `failed`: it cannot write now. */
  | { readonly outcome: 'lost' | 'unreachable' | 'failed'; readonly error?: unknown };

export type VipLease = {
  /** Milliseconds until we may write ourselves into it: 0 also while we hold it, Infinity before it was first read. */
  readonly freeIn: () => number;
  readonly mine: () => boolean;
  /** Takes or renews it. Never throws. */
  readonly hold: () => Promise<Written>;
  /** Holds it for `timing.away`. Never throws. */
  readonly holdWhileAway: () => Promise<Written>;
  /** Lets another take it at once. Throws what the API says. */
  readonly giveUp: () => Promise<void>;
  /** Tells `onChange` of the first look and of every change that is not our own, `onBreak` once when the API server went away; until the signal aborts. */
  readonly follow: (
    signal: AbortSignal,
    hooks: { readonly onChange: () => void; readonly onBreak: (error: unknown) => void },
  ) => Promise<void>;
};

/** The Lease as last seen, and when (ms, monotonic). */
export type Seen = { readonly lease: Lease | undefined; readonly at: number };

const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;
const ref = { ...kind, namespace: 'kube-system', name: 'rfo-vip' } as const;
/** Milliseconds without a byte on the watch; the server sends a bookmark each minute. */
const silentAfter = 180_000;

/** @param input.identity of this server; the same after a restart */
export function openLease(input: { readonly client: KubeClient; readonly identity: string; readonly timing: Timing }): VipLease {
  const { client, identity, timing } = input;
  let seen: Seen | undefined;

  const see = (lease: Lease | undefined): boolean => {
    if (seen !== undefined && !isNews(seen.lease, lease)) return false;
    seen = { lease, at: performance.now() };
    return true;
  };
  const mine = (): boolean => seen?.lease?.spec?.holderIdentity === identity;
  const wait = (): number => (seen === undefined ? Number.POSITIVE_INFINITY : freeIn(seen, identity, performance.now()));
  /** Bounds a request, its connecting included. Never cut short otherwise: what was sent may be done, and then we must know it. */
  const within = <T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const signal = AbortSignal.timeout(timing.requestWithin);
    return orAbort(request(signal), signal);
  };
  const read = async (signal: AbortSignal): Promise<boolean> => see(await client.find<Lease>(ref, { signal }));

  const write = async (spec: { readonly holder: string; readonly duration: number }): Promise<number> => {
    const sent = performance.now();
    const lease = renderLease(seen?.lease, spec, new Date());
    const known = seen?.lease !== undefined;
    see(await within((signal) => (known ? client.replace(lease, { signal }) : client.create(lease, { signal }))));
    return sent;
  };

  const hold = async (duration: number): Promise<Written> => {
    const spec = { holder: identity, duration };
    // A server that was frozen may hear here that another holds it: that version it must not overwrite.
    if (wait() > 0) return { outcome: 'lost' };
    try {
      return { outcome: 'held', sent: await write(spec) };
    } catch (error) {
      if (!isOvertaken(error)) return { outcome: outcomeOf(error), error };
    }
    try {
      // Somebody wrote. It may have been a label, or a request of our own that we gave up waiting for.
      await within(read);
      if (seen?.lease !== undefined && !mine()) return { outcome: 'lost' };
      return { outcome: 'held', sent: await write(spec) };
    } catch (error) {
      return { outcome: isOvertaken(error) ? 'lost' : outcomeOf(error), error };
    }
  };

  const follow: VipLease['follow'] = async (signal, { onChange, onBreak }) => {
    let first = true;
    let broken = false;
    const note = (changed: boolean): void => {
      broken = false;
      if (first || (changed && !mine())) onChange();
      first = false;
    };
    const noteBreak = (error?: unknown): void => {
      if (!broken && !signal.aborted) onBreak(error);
      broken = true;
    };
    while (!signal.aborted) {
      try {
        note(await read(signal));
        const selection = { namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` };
        const query = { allowWatchBookmarks: true };
        for await (const { type, object } of client.watchOnce(kind, { ...selection, query, idle: silentAfter, signal })) {
          if (type === 'ERROR') break;
          if (type !== 'BOOKMARK') note(see(type === 'DELETED' ? undefined : (object as Lease)));
        }
        noteBreak();
      } catch (error) {
        noteBreak(error);
      }
      await sleep(timing.retryEvery, signal).catch(() => undefined);
    }
  };

  return {
    freeIn: wait,
    mine,
    hold: () => hold(timing.duration),
    holdWhileAway: () => hold(timing.away),
    giveUp: async () => {
      if (mine()) await write({ holder: '', duration: 1_000 });
    },
    follow,
  };
}

/** Milliseconds until a candidate may take the Lease: judged by its own clock since it saw the last change, never by comparing clocks. */
export function freeIn({ lease, at }: Seen, identity: string, now: number): number {
  const { holderIdentity: holder, leaseDurationSeconds = 0 } = lease?.spec ?? {};
  if (!holder || holder === identity) return 0;
  return Math.max(0, at + leaseDurationSeconds * 1000 - now);
}

/** The Lease with this holder, as client-go would write it: its fields mean the same to whoever looks at it. */
export function renderLease(found: Lease | undefined, next: { readonly holder: string; readonly duration: number }, now: Date): Lease {
  const { holder, duration } = next;
  const before = found?.spec ?? {};
  const time = now.toISOString().replace('Z', '000Z');
  const stays = before.holderIdentity === holder;
  return {
    ...kind,
    metadata: found?.metadata ?? { name: ref.name, namespace: ref.namespace },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: Math.round(duration / 1000),
      acquireTime: (stays || holder === '' ? before.acquireTime : undefined) ?? time,
      renewTime: time,
      leaseTransitions: (before.leaseTransitions ?? 0) + (found === undefined || stays || holder === '' ? 0 : 1),
    },
  };
}

/** A watch may lag behind what we have written ourselves. */
function isNews(before: Lease | undefined, now: Lease | undefined): boolean {
  const [old, young] = [before?.metadata.resourceVersion, now?.metadata.resourceVersion];
  return old === undefined || young === undefined ? old !== young : BigInt(young) > BigInt(old);
}

function isOvertaken(error: unknown): boolean {
  return isConflict(error) || isAlreadyExists(error) || isNotFound(error);
}

function outcomeOf(error: unknown): 'unreachable' | 'failed' {
  return error instanceof RfoError && error.code === 'kube-unreachable' ? 'unreachable' : 'failed';
}
