/**
 * Counts attempts to sign in that failed, by user and by address, and says for how long no further one is allowed. Decides only: what other replicas
 * have counted comes in, what they are to know goes out.
 */
import { hash } from 'node:crypto';
import { networkOf } from '../limits/network-of.ts';

/** Of one user or one address. Times in milliseconds since 1970. */
type Count = {
  readonly failures: number;
  /** When the last of them was. */
  readonly last: number;
  /** Failures until then count no longer, whoever counted them. */
  readonly cleared: number;
};
export type Counts = ReadonlyMap<string, Count>;

/** Whose attempt it is: the keys that it counts for. */
export type Who = { readonly user: string; readonly address: string };

export type AttemptCounts = {
  /** Milliseconds until one more attempt is allowed; 0: now. Attempts that have begun and not ended count as failed. */
  readonly wait: (who: Who, now: number) => number;
  readonly begin: (who: Who) => void;
  /** Every `begin` is followed by one `end`. Gives whether there is something to tell the others. */
  readonly end: (who: Who, how: 'failed' | 'succeeded' | 'given-up', now: number) => boolean;
  /** Lets the user try again at once. Gives the same. */
  readonly clear: (user: string, now: number) => boolean;
  /** What this replica has to tell the others: at most `shared` counts, the highest. */
  readonly own: (now: number) => Counts;
  /** What another replica has told. */
  readonly setOther: (replica: string, counts: Counts | undefined) => void;
};

/** A failure is forgotten so long after the last. */
export const memory = 30 * 60_000;
/**
 * Failures that cost nothing, and from then on a wait that doubles with each. Many people may stand behind one address (a proxy, an office), so it
 * may fail more often than a user.
 */
const rules = {
  user: { free: 5, first: 60_000, longest: 15 * 60_000 },
  address: { free: 50, first: 60_000, longest: 15 * 60_000 },
} as const;
/** What one address may have under way at once. */
const underWay = 16;
const [kept, shared] = [10_000, 500];

/** The keys hold no name: what is typed as a name is now and then a password. */
export function who(username: string, address: string): Who {
  return { user: keyOfUser(username), address: `a${short(networkOf(address))}` };
}

/** @param username as `usernameKey` gives it */
export function keyOfUser(username: string): string {
  return `u${short(username)}`;
}

export function createAttemptCounts(): AttemptCounts {
  const mine = new Map<string, Count>();
  const others = new Map<string, Counts>();
  const pending = new Map<string, number>();

  const sum = (key: string, now: number): Count => {
    const all = [mine, ...others.values()].flatMap((counts) => counts.get(key) ?? []);
    const cleared = Math.max(0, ...all.map((count) => count.cleared));
    // A clock that is ahead of ours must not lock anybody out for longer.
    const fresh = all
      .filter(({ last }) => last > cleared && last > now - memory)
      .map((count) => ({ ...count, last: Math.min(count.last, now) }));
    return {
      failures: fresh.reduce((total, { failures }) => total + failures, 0),
      last: Math.max(0, ...fresh.map(({ last }) => last)),
      cleared,
    };
  };

  const waitOf = (key: string, rule: (typeof rules)[keyof typeof rules], now: number): number => {
    const { failures, last } = sum(key, now);
    const lock = failures < rule.free ? 0 : Math.min(rule.first * 2 ** (failures - rule.free), rule.longest);
    const left = last + lock - now;
    if (lock > 0 && left > 0) return left;
    const more = Math.min(Math.max(1, rule.free - failures), underWay);
    return (pending.get(key) ?? 0) < more ? 0 : aMoment;
  };

  const count = (key: string, now: number): void => {
    const before = mine.get(key);
    const { cleared } = sum(key, now);
    const stale = before === undefined || before.last <= cleared || before.last <= now - memory;
    mine.set(key, { failures: stale ? 1 : before.failures + 1, last: now, cleared });
    if (mine.size > kept) forget(now);
  };

  const clear = (key: string, now: number): boolean => {
    const counted = sum(key, now).failures > 0;
    if (counted) mine.set(key, { failures: 0, last: 0, cleared: now });
    return counted;
  };

  /** A flood of single failures must not push out the counts that matter. */
  const forget = (now: number): void => {
    const worth = [...mine]
      .filter(([, one]) => isKept(one, now))
      .sort(byWorth)
      .slice(0, kept / 2);
    mine.clear();
    for (const [key, one] of worth) mine.set(key, one);
  };

  const add = (key: string, number: 1 | -1): void => {
    const left = (pending.get(key) ?? 0) + number;
    if (left > 0) pending.set(key, left);
    else pending.delete(key);
  };

  return {
    wait: ({ user, address }, now) => Math.max(waitOf(user, rules.user, now), waitOf(address, rules.address, now)),
    begin: ({ user, address }) => {
      add(user, 1);
      add(address, 1);
    },
    end: ({ user, address }, how, now) => {
      add(user, -1);
      add(address, -1);
      if (how === 'failed') for (const key of [user, address]) count(key, now);
      // Not the address: whoever has an account of his own could go on for ever from there.
      return how === 'failed' || (how === 'succeeded' && clear(user, now));
    },
    clear,
    own: (now) =>
      new Map(
        [...mine]
          .filter(([, one]) => isKept(one, now))
          .sort(byWorth)
          .slice(0, shared),
      ),
    setOther: (replica, counts) => {
      if (counts === undefined) others.delete(replica);
      else others.set(replica, counts);
    },
  };
}

/** Milliseconds after which an attempt that only waits for others to end may be made again. */
const aMoment = 1000;

export function isKept({ last, cleared }: Count, now: number): boolean {
  return Math.max(last, cleared) > now - memory;
}

function byWorth([, one]: [string, Count], [, other]: [string, Count]): number {
  return worth(other) - worth(one) || other.last - one.last;
}

/** That somebody may try again has to be known as surely as that he may not. */
function worth({ failures, cleared }: Count): number {
  return failures === 0 && cleared > 0 ? rules.user.free : failures;
}

function short(text: string): string {
  return hash('sha256', text).slice(0, 16);
}
