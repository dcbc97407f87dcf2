/**
 * Tells what was open when somebody's rights to be here ended: a user disabled, put into other groups or gone at his provider, a token deleted, narrowed or at its end, a
 * provider switched off. It hears of it from the watches, so every replica tells it within a moment.
 */
import type { Clock, Life, Log } from '@rfo/foundation';
import type { Token } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import { isEnabled, mayAct } from './authenticate.ts';
import type { Caller } from './caller.ts';
import { heldGroups } from './held-groups.ts';
import { localProvider } from './local-provider.ts';
import type { Uses } from './note-uses.ts';
import type { Limits } from './settings.ts';
import { endOfToken } from './token-end.ts';

type IsRevoked = (caller: Caller) => boolean;

export type Revocations = {
  /** Calls the listener with a test of callers whenever some may have to go; gives the function that ends it. */
  readonly onRevoked: (listener: (isRevoked: IsRevoked) => void) => () => void;
  /**
   * Whether a caller has to go by what is known now. To be asked once what he opened stands where the listener finds it: what happened between
   * `authenticate` and that moment was told before anybody could act on it.
   */
  readonly isRevoked: IsRevoked;
};

/** Milliseconds: no timer runs longer, so that a clock that is set right is noticed. */
const longestTimer = 60_000;
/** Tokens and users that were deleted, remembered for those who authenticated just before. */
const remembered = 10_000;

export function createRevocations(parts: {
  readonly objects: Pick<Objects, 'tokens' | 'users' | 'authProviders' | 'settings'>;
  readonly limits: () => Limits;
  readonly uses: Uses;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
}): Revocations {
  const { objects, limits, uses, clock, life, log } = parts;
  const listeners = new Set<(isRevoked: IsRevoked) => void>();
  const gone = new Set<string>();
  const ended = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;

  const tell = (isRevoked: IsRevoked): void => {
    for (const listener of listeners) {
      try {
        listener(isRevoked);
      } catch (error) {
        // What one of them cannot close must not keep the others open.
        log.error('a revocation was not carried out everywhere', { error });
      }
    }
  };
  const forget = (what: string): void => {
    gone.add(what);
    const [oldest] = gone;
    if (gone.size > remembered && oldest !== undefined) gone.delete(oldest);
  };
  const endOf = (token: Token): number => endOfToken(token, limits(), uses.last(token.metadata.name));

  const arm = (at: number): void => {
    if (at >= due || life.signal.aborted) return;
    due = at;
    clearTimeout(timer);
    timer = setTimeout(endTokens, Math.max(0, Math.min(at - clock.now(), longestTimer)));
  };

  const endTokens = (): void => {
    due = Number.POSITIVE_INFINITY;
    const now = clock.now();
    const over = new Set<string>();
    let next = Number.POSITIVE_INFINITY;
    for (const token of objects.tokens.list()) {
      const { name } = token.metadata;
      const end = endOf(token);
      if (end > now) {
        ended.delete(name);
        next = Math.min(next, end);
      } else if (!ended.has(name)) {
        ended.add(name);
        over.add(name);
      }
    }
    if (over.size > 0) tell(({ token: { id } }) => over.has(id));
    if (next < Number.POSITIVE_INFINITY) arm(next);
  };

  const unsubscribe = [
    objects.tokens.onChange((id, now, before) => {
      if (now === undefined || now.metadata.deletionTimestamp !== undefined) {
        ended.delete(id);
        forget(`token ${id}`);
        tell(({ token }) => token.id === id);
        return;
      }
      gone.delete(`token ${id}`);
      if (before !== undefined && scopeOf(before) !== scopeOf(now)) tell(({ token }) => token.id === id);
      arm(endOf(now));
    }),
    objects.users.onChange((name, now, before) => {
      if (now === undefined) forget(`user ${name}`);
      else gone.delete(`user ${name}`);
      const lost = (provider: string): boolean =>
        now === undefined ||
        !mayAct(now, provider) ||
        (before !== undefined && textOf(heldGroups(before, provider)) !== textOf(heldGroups(now, provider)));
      const providers = new Set([localProvider, ...Object.keys(before?.status?.outside ?? {}), ...Object.keys(now?.status?.outside ?? {})]);
      if ([...providers].some(lost)) tell(({ user, provider }) => user === name && lost(provider));
    }),
    objects.authProviders.onChange((name) => {
      if (!isEnabled(objects, name)) tell(({ provider }) => provider === name);
    }),
    // A limit may have been lowered.
    objects.settings.onChange(() => arm(clock.now())),
  ];
  life.defer(() => {
    clearTimeout(timer);
    for (const undo of unsubscribe) undo();
  });
  arm(clock.now());

  return {
    onRevoked: (listener) => {
      const own = (isRevoked: IsRevoked): void => listener(isRevoked);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    isRevoked: ({ user, token: { id }, provider, groups }) => {
      if (gone.has(`token ${id}`) || gone.has(`user ${user}`) || !isEnabled(objects, provider)) return true;
      const [token, account] = [objects.tokens.get(id), objects.users.get(user)];
      // What another replica has just made may not be known here yet; `authenticate` has read it.
      if (token !== undefined && endOf(token) <= clock.now()) return true;
      return account !== undefined && (!mayAct(account, provider) || textOf(heldGroups(account, provider)) !== textOf(groups));
    },
  };
}

function scopeOf({ spec: { clusters, readOnly = false } }: Token): string {
  return JSON.stringify([clusters, readOnly]);
}

function textOf(groups: readonly string[]): string {
  return JSON.stringify([...groups].sort());
}
