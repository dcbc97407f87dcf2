/** Removes tokens that are of no use to anybody any more. One replica does it. */
import { type Clock, type Life, type Log, sleep } from '@rfo/foundation';
import type { Token } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import type { Limits } from './settings.ts';
import { endOfToken } from './token-end.ts';

/** Milliseconds: between two rounds, and as long as an ended token is kept, so that who uses it is told that it has ended. */
const [between, kept] = [10 * 60_000, 24 * 3600_000];
/** A user that is not known yet may just have been made by another replica. */
const patience = 60_000;

type RemovalParts = {
  readonly objects: Pick<Objects, 'tokens' | 'users'>;
  readonly limits: () => Limits;
  readonly clock: Clock;
  readonly log: Log;
};

/** Goes on until the life ends. */
export async function removeEndedTokens(parts: RemovalParts, life: Life): Promise<void> {
  const { objects, log } = parts;
  while (!life.signal.aborted) {
    for (const token of objects.tokens.list().filter((one) => isOver(parts, one))) {
      const { name, uid } = token.metadata;
      if (life.signal.aborted) return;
      await objects.tokens.delete(name, { signal: life.signal, ...(uid !== undefined && { uid }) }).catch((error: unknown) => {
        if (!life.signal.aborted) log.warn('an ended token is not removed yet', { token: name, error });
      });
    }
    await sleep(between, life.signal).catch(() => undefined);
  }
}

function isOver({ objects, limits, clock }: RemovalParts, token: Token): boolean {
  const now = clock.now();
  const user = objects.users.get(token.spec.user);
  if (user === undefined) return Date.parse(token.metadata.creationTimestamp ?? '') + patience < now;
  // If he is let in again, he signs in again.
  if (!user.spec.enabled && token.spec.kind === 'session') return true;
  return endOfToken(token, limits()) + kept < now;
}
