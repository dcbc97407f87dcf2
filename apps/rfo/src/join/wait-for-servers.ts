/** Waits for a server that answers: asks all that are known in turn, for ever, and says what is wrong once and not every second. */
import { Backoff, type Clock, type Log, RfoError, sleep, systemClock } from '@rfo/foundation';
import { renderServerAddress, type ServerAddress } from './server-address.ts';

export type WaitOptions<T> = {
  /** Asked anew before each round, as servers may be learned meanwhile: first those of the setting, then those learned before. */
  readonly addresses: () => readonly ServerAddress[];
  /** One attempt with one server. What it throws that is no error of the table is a defect and ends the wait. */
  readonly attempt: (address: ServerAddress, signal: AbortSignal) => Promise<T>;
  /** Whether an error ends the wait. Asked only of those that waiting alone does not cure (`retryable` is false). */
  readonly giveUp: (error: RfoError) => boolean;
  /** Resolves when something has changed that makes another round worth while at once; the signal ends the watch for it. */
  readonly untilChange?: (signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock?: Clock;
  /** Waits; tests put their own in place of the real time. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

/** What is still the case is said again after this time. */
const repeatAfter = 300_000;
/** A verdict (a wrong CA, a token that is not accepted) stays until somebody changes something. */
const slowly = 30_000;

/**
 * The result of the first attempt that succeeds. Between rounds it waits up to 5 s, shortened at random so that a cluster's nodes do not
 * come all at once; 30 s once a server that was verified has refused, or none can be trusted, unless `untilChange` says before that it is worth another try.
 * @throws the first error that `giveUp` is true for; the signal's reason
 */
export async function waitForServers<T>(options: WaitOptions<T>): Promise<T> {
  const { addresses, attempt, giveUp, untilChange, signal, log, clock = systemClock, wait = sleep } = options;
  const backoff = new Backoff({ initial: 250, max: 5_000, jitter: 0.5 });
  const say = sayer(log, clock);
  for (;;) {
    const errors: { address: ServerAddress; error: RfoError }[] = [];
    for (const address of unique(addresses())) {
      signal.throwIfAborted();
      try {
        return await attempt(address, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof RfoError) || error.code === 'internal') throw error;
        if (!error.retryable && giveUp(error)) throw error;
        errors.push({ address, error });
      }
    }
    say(errors.map(({ error }) => error));
    const refused = errors.some(({ error }) => refusals.has(error.code)) || errors.every(({ error }) => !error.retryable);
    await pause(refused ? slowly : backoff.next());
  }

  async function pause(milliseconds: number): Promise<void> {
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    try {
      await Promise.race([wait(milliseconds, ended), ...(untilChange === undefined ? [] : [untilChange(ended)])]);
    } finally {
      over.abort(new Error('the pause is over'));
    }
  }
}

/** What holds for all servers of the cluster, whichever of them said it. */
const refusals: ReadonlySet<string> = new Set(['join-unauthorized', 'join-refused']);

/** Says each state of things once; again when it still is so after a while. */
function sayer(log: Log, clock: Clock): (errors: readonly RfoError[]) => void {
  const saidAt = new Map<string, number>();
  return (errors) => {
    const reason = errors.map(({ message }) => message).join(' ');
    const now = clock.now();
    const last = saidAt.get(reason);
    if (last !== undefined && now - last < repeatAfter) return;
    saidAt.set(reason, now);
    if (errors.length === 0) log.error('no server is known that could be asked');
    else if (errors.some(({ retryable }) => retryable)) log.warn('no server answers yet; it goes on by itself once one does', { reason });
    else log.error('no server lets this node join; it is tried again every 30 s', { reason });
  };
}

function unique(addresses: readonly ServerAddress[]): readonly ServerAddress[] {
  return [...new Map(addresses.map((address) => [renderServerAddress(address), address])).values()];
}
