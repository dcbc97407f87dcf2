/** All that goes through the front door at this moment, so that it ends when its caller may no longer do it. */
import { fail, type Life } from '@rfo/foundation';
import type { Caller } from '../identity/caller.ts';

/** What tells of withdrawn rights; see `Identity` and `Rights`. */
export type Withdrawals = {
  readonly identity: {
    readonly onRevoked: (listener: (isRevoked: (caller: Caller) => boolean) => void) => () => void;
    readonly isRevoked: (caller: Caller) => boolean;
  };
  readonly rights: { readonly onChange: (listener: (affected: (caller: Caller) => boolean) => void) => () => void };
};

export type Exchange = {
  /** Aborts with what is to be told to the caller. */
  readonly signal: AbortSignal;
  /** Ends it for another reason: the caller went away. */
  readonly abort: (reason: unknown) => void;
  /** It is over. */
  readonly close: () => void;
};

export type Exchanges = {
  /** Throws too-many-open. */
  readonly open: (caller: Caller) => Exchange;
  readonly count: () => number;
};

/**
 * What one user may have open at a time, with all his tokens together. A dashboard has some hundred watches; a program that opens without end must
 * not take the replica from everybody.
 */
const mostOfOne = 500;
/** Milliseconds for what is open to end. */
const farewell = 2000;

type Open = { readonly caller: Caller; readonly end: (reason: unknown) => void };

export function createExchanges({ identity, rights }: Withdrawals, life: Life): Exchanges {
  const all = new Set<Open>();
  const counts = new Map<string, number>();
  // Also who has only lost something elsewhere begins anew: what a cluster lets go on is not known here.
  const endWhere = (withdrawn: (caller: Caller) => boolean): void => {
    for (const { caller, end } of [...all]) if (withdrawn(caller)) end(fail('access-withdrawn', {}));
  };
  const undo = [identity.onRevoked(endWhere), rights.onChange(endWhere)];
  let emptied = (): void => undefined;
  life.defer(async () => {
    for (const each of undo) each();
    for (const { end } of [...all]) end(fail('manager-stopping', {}));
    if (all.size === 0) return;
    // What the audit log is told of their ends comes before its own.
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, farewell);
      emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  });

  return {
    count: () => all.size,
    open: (caller) => {
      const { user, username } = caller;
      const before = counts.get(user) ?? 0;
      if (before >= mostOfOne) throw fail('too-many-open', { username, limit: mostOfOne, seconds: 1 });
      counts.set(user, before + 1);
      const controller = new AbortController();
      const open: Open = { caller, end: (reason) => controller.abort(reason) };
      all.add(open);
      if (life.signal.aborted) open.end(fail('manager-stopping', {}));
      // What happened since he was authenticated was told when this was not there yet.
      else if (identity.isRevoked(caller)) open.end(fail('access-withdrawn', {}));
      const close = (): void => {
        if (!all.delete(open)) return;
        const left = (counts.get(user) ?? 0) - 1;
        if (left > 0) counts.set(user, left);
        else counts.delete(user);
        if (all.size === 0) emptied();
      };
      return { signal: controller.signal, abort: open.end, close };
    },
  };
}
