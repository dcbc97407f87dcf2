/** Lets names and passwords be tried, but not over and over: counts what fails, by user and address, before and after each try. */
import { type Clock, fail } from '@rfo/foundation';
import { type AttemptCounts, who } from './attempt-counts.ts';
import type { Provider, Vouched } from './provider.ts';
import { usernameKey } from './username.ts';

type Attempt = {
  /** Undefined where there is none of the name that came: it fails like a wrong password. */
  readonly provider: Provider | undefined;
  readonly username: string;
  readonly password: string;
  /** IP address without port. */
  readonly address: string;
};

/** Throws credentials-refused, sign-in-limited, sign-in-busy, and what kept the provider from finding out. */
export type Guard = (attempt: Attempt) => Promise<Vouched>;

type GuardParts = {
  readonly attempts: AttemptCounts;
  /** Resolves when the attempts that other replicas have counted are known. */
  readonly attemptsKnown: Promise<void>;
  readonly attemptsChanged: () => void;
  readonly clock: Clock;
};

/** No name or password is longer. */
const longest = 1024;

export function createGuard({ attempts, attemptsKnown, attemptsChanged, clock }: GuardParts): Guard {
  return async ({ provider, password, address, ...attempt }) => {
    await attemptsKnown;
    const username = usernameKey(attempt.username.slice(0, longest));
    const key = who(username, address);
    const wait = attempts.wait(key, clock.now());
    if (wait > 0) throw fail('sign-in-limited', { seconds: Math.ceil(wait / 1000) });
    attempts.begin(key);
    let how: Parameters<AttemptCounts['end']>[1] = 'given-up';
    try {
      const vouched = password.length > longest ? undefined : await provider?.verify({ username, password });
      how = vouched === undefined ? 'failed' : 'succeeded';
      if (vouched !== undefined) return vouched;
    } finally {
      if (attempts.end(key, how, clock.now())) attemptsChanged();
    }
    throw fail('credentials-refused', {});
  };
}
